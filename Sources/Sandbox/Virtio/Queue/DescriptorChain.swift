// SPDX-License-Identifier: Apache-2.0
public import GuestMemory

/// One request of the driver, virtio 1.2 §2.7.4: buffers the device reads, then buffers it writes. Every one
/// has been checked to lie in the guest's memory, and none is empty.
public struct DescriptorChain: Sendable {
    /// The index the request is returned by.
    public let head: UInt16
    /// What the driver wrote, in order.
    public let readable: [GuestSlice]
    /// What the device may write to, in order.
    public let writable: [GuestSlice]

    /// The slices are of the guest's memory and hold as long as it.
    @inlinable
    public init(head: UInt16, readable: [GuestSlice], writable: [GuestSlice]) {
        self.head = head
        self.readable = readable
        self.writable = writable
    }

    /// The bytes of all buffers to read; less than 2^32, as those to write, virtio 1.2 §2.7.5.2.
    @inlinable public var readableCount: Int { DescriptorChain.byteCount(readable) }
    @inlinable public var writableCount: Int { DescriptorChain.byteCount(writable) }

    @inlinable
    static func byteCount(_ slices: [GuestSlice]) -> Int {
        var sum = 0
        // Below 2^32 as the queue made them, and far from 2^63 in any case.
        for slice in slices { sum &+= slice.count }
        return sum
    }
}
