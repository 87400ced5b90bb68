// SPDX-License-Identifier: Apache-2.0
import Linux

/// Spells `/proc/self/fd/N`: the way from a descriptor opened with O_PATH to calls that want a path. The
/// link leads to the very file, wherever it is by now, and is not followed further.
@safe final class DescriptorPath {
    private static let prefix: StaticString = "/proc/self/fd/"
    private let buffer: UnsafeMutablePointer<UInt8>

    init() {
        // This object's until deinit; the prefix is shorter.
        unsafe buffer = .allocate(capacity: 32)
        unsafe buffer.initialize(repeating: 0, count: 32)
        unsafe buffer.update(from: Self.prefix.utf8Start, count: Self.prefix.utf8CodeUnitCount)
    }

    deinit {
        // Addresses hold until the next call only, as said.
        unsafe buffer.deallocate()
    }

    /// The address of the number alone, for calls relative to the directory /proc/self/fd. Valid until the
    /// next call.
    func number(_ descriptor: BorrowedDescriptor) -> Int {
        let start = Self.prefix.utf8CodeUnitCount
        var digits = 1
        var rest = descriptor.rawValue / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        // Ten digits at most: prefix, digits and NUL are 25 bytes.
        rest = descriptor.rawValue
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            // Within 32 bytes, as counted.
            unsafe buffer[index] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
        // The 25th byte at most.
        unsafe buffer[start + digits] = 0
        return unsafe (buffer + start).argument
    }

    /// The address of the whole path. Valid until the next call.
    func whole(_ descriptor: BorrowedDescriptor) -> Int {
        _ = number(descriptor)
        // NUL-ended, and this object's.
        return unsafe buffer.argument
    }
}
