package import GuestMemory
package import Linux
package import Virtio

/// The driver's half of a split virtqueue, virtio 1.2 §2.7, in memory shared with the device.
package final class DriverQueue {
    package let size: UInt16
    package let layout: Virtqueue.Layout
    package let kick: EventFD
    package let call: EventFD
    private let memory: GuestMemory
    private let descriptors: GuestSlice
    private let available: GuestSlice
    private let used: GuestSlice
    private var nextAvailable: UInt16 = 0
    private var nextUsed: UInt16 = 0

    /// The bytes a queue of `size` takes from its start on.
    package static func byteCount(size: UInt16) -> UInt64 { 16384 }

    package init(memory: GuestMemory, start: UInt64, size: UInt16) throws {
        self.memory = memory
        self.size = size
        layout = Virtqueue.Layout(
            size: size, descriptors: GuestAddress(rawValue: start), available: GuestAddress(rawValue: start + 8192),
            used: GuestAddress(rawValue: start + 12288))
        descriptors = try memory.slice(at: layout.descriptors, byteCount: 16 * UInt64(size))
        available = try memory.slice(at: layout.available, byteCount: 6 + 2 * UInt64(size))
        used = try memory.slice(at: layout.used, byteCount: 6 + 8 * UInt64(size))
        kick = try EventFD()
        call = try EventFD()
    }

    /// The device's half.
    package func deviceQueue(features: UInt64 = VirtioFeature.version1) throws -> Virtqueue {
        try Virtqueue(
            memory: memory, layout: layout, features: features,
            kick: EventFD(owning: try kick.descriptor.duplicate()),
            call: EventFD(owning: try call.descriptor.duplicate()))
    }

    /// Writes descriptor `index` as it stands; what is wrong in it is the test's intent.
    package func describe(_ index: UInt16, address: UInt64, byteCount: UInt32, flags: UInt16, next: UInt16 = 0) throws {
        let offset = 16 * Int(index)
        try descriptors.store(address, at: offset)
        try descriptors.store(byteCount, at: offset + 8)
        try descriptors.store(flags, at: offset + 12)
        try descriptors.store(next, at: offset + 14)
    }

    /// Makes the chain at `head` available. The device is told by ``notify()``.
    package func offer(_ head: UInt16) throws {
        try available.store(head, at: 4 + 2 * Int(nextAvailable & (size - 1)))
        nextAvailable &+= 1
        try available.storeRelease(nextAvailable, at: 2)
    }

    package func notify() {
        kick.signal()
    }

    /// The next chain the device has used.
    package func takeUsed() throws -> (head: UInt16, byteCount: Int)? {
        guard try used.loadAcquire(at: 2) != nextUsed else { return nil }
        let slot = 4 + 8 * Int(nextUsed & (size - 1))
        nextUsed &+= 1
        let head: UInt32 = try used.load(at: slot)
        let byteCount: UInt32 = try used.load(at: slot + 4)
        return (UInt16(truncatingIfNeeded: head), Int(byteCount))
    }
}
