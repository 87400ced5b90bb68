import Linux

/// Spells `/proc/self/fd/N`: the way from a descriptor opened with O_PATH to calls that want a path. The
/// link leads to the very file, wherever it is by now, and is not followed further.
@safe final class DescriptorPath {
    private static let prefix: StaticString = "/proc/self/fd/"
    private let buffer: UnsafeMutablePointer<UInt8>

    init() {
        unsafe buffer = .allocate(capacity: 32)
        unsafe buffer.initialize(repeating: 0, count: 32)
        unsafe buffer.update(from: Self.prefix.utf8Start, count: Self.prefix.utf8CodeUnitCount)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// The address of the number alone, for calls relative to the directory /proc/self/fd. Valid until the
    /// next call.
    func number(_ descriptor: Int32) -> Int {
        let start = Self.prefix.utf8CodeUnitCount
        var digits = 1
        var rest = descriptor / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        // Ten digits at most: prefix, digits and NUL are 25 bytes.
        rest = descriptor
        for index in stride(from: start + digits - 1, through: start, by: -1) {
            unsafe buffer[index] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
        unsafe buffer[start + digits] = 0
        return unsafe (buffer + start).argument
    }

    /// The address of the whole path. Valid until the next call.
    func whole(_ descriptor: Int32) -> Int {
        _ = number(descriptor)
        return unsafe buffer.argument
    }
}
