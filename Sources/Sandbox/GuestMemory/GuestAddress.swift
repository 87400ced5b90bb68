// SPDX-License-Identifier: Apache-2.0
/// A physical address in the guest.
public struct GuestAddress: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In bytes, from the start of the guest's physical address space.
    public var rawValue: UInt64

    /// Any number: whether memory is there is ``GuestMemory``'s to say.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// By number.
    @inlinable public static func < (left: GuestAddress, right: GuestAddress) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The address `offset` bytes further, or nil beyond the end of the address space.
    @inlinable public func advanced(by offset: UInt64) -> GuestAddress? {
        let (sum, overflow) = rawValue.addingReportingOverflow(offset)
        return overflow ? nil : GuestAddress(rawValue: sum)
    }

    /// In hexadecimal.
    public var description: String { "0x" + String(rawValue, radix: 16) }
}
