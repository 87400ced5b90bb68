public import GuestMemory

/// One request of the driver, virtio 1.2 §2.7.4: buffers the device reads, then buffers it writes. Every one
/// has been checked to lie in the guest's memory.
public struct DescriptorChain: Sendable {
    /// The index the request is returned by.
    public let head: UInt16
    public let readable: [GuestSlice]
    public let writable: [GuestSlice]

    public init(head: UInt16, readable: [GuestSlice], writable: [GuestSlice]) {
        self.head = head
        self.readable = readable
        self.writable = writable
    }

    public var readableCount: Int { readable.reduce(0) { $0 + $1.count } }
    public var writableCount: Int { writable.reduce(0) { $0 + $1.count } }
}
