// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
public import GuestMemory
public import Linux

/// A split virtqueue, virtio 1.2 §2.7, as the device sees it. Used by one thread at a time.
///
/// The rings are found and checked once, here; a driver that rewrites its addresses afterwards changes
/// nothing. Everything in them is read once and checked before use.
public final class Virtqueue {
    /// Descriptors, a power of two.
    public let size: UInt16
    /// Where the driver put it, for a device that another process serves.
    public let layout: Layout
    /// Signalled by the driver: new chains may be there.
    public let kick: EventFD
    /// Signalled to the driver: chains have been used.
    public let call: EventFD

    let memory: GuestMemory
    let descriptors: GuestSlice
    let available: GuestSlice
    let used: GuestSlice
    let usesEventIndex: Bool
    let allowsIndirect: Bool
    /// The next entry of the available ring to take.
    public var nextAvailable: UInt16 { taken }
    /// Kept apart from its public face, which would cost the hot path a check for exclusive access.
    private var taken: UInt16
    var nextUsed: UInt16
    /// `nextUsed` when the driver was last considered for a notification.
    var lastSignalled: UInt16
    /// The arrays of the last chain, for the next.
    var spare = ChainBuffers()

    /// Where the driver put the three parts of a queue.
    public struct Layout: Hashable, Sendable {
        /// Descriptors, a power of two up to 32768.
        public var size: UInt16
        /// The descriptor table, virtio 1.2 §2.7.5; aligned to 16 bytes.
        public var descriptors: GuestAddress
        /// The available ring, §2.7.6; aligned to 2 bytes.
        public var available: GuestAddress
        /// The used ring, §2.7.8; aligned to 4 bytes.
        public var used: GuestAddress

        /// Nothing is checked here: ``Virtqueue/init(memory:layout:features:nextAvailable:kick:call:)`` does.
        public init(size: UInt16, descriptors: GuestAddress, available: GuestAddress, used: GuestAddress) {
            self.size = size
            self.descriptors = descriptors
            self.available = available
            self.used = used
        }
    }

    /// - Parameter nextAvailable: where to go on, for a queue that ran before (vhost-user SET_VRING_BASE).
    public init(
        memory: GuestMemory, layout: Layout, features: UInt64, nextAvailable: UInt16 = 0,
        kick: consuming EventFD, call: consuming EventFD
    ) throws(VirtioError) {
        guard layout.size > 0, layout.size <= 32768, layout.size & (layout.size - 1) == 0 else {
            throw .queueSize(UInt32(layout.size))
        }
        let count = UInt64(layout.size)
        do {
            descriptors = try memory.slice(at: layout.descriptors, byteCount: 16 * count)
            available = try memory.slice(at: layout.available, byteCount: 6 + 2 * count)
            used = try memory.slice(at: layout.used, byteCount: 6 + 8 * count)
            // The device goes on where the used ring stands, which after a reset is 0 as well.
            nextUsed = try used.load(at: 2)
        } catch {
            throw .ring(error)
        }
        for (part, address, alignment) in [
            (descriptors, layout.descriptors, 16), (available, layout.available, 2), (used, layout.used, 4),
        ] where !part.isAligned(to: alignment) {
            throw .ringAlignment(address)
        }
        self.memory = memory
        self.size = layout.size
        self.layout = layout
        taken = nextAvailable
        lastSignalled = nextUsed
        usesEventIndex = features & VirtioFeature.eventIndex != 0
        allowsIndirect = features & VirtioFeature.indirectDescriptors != 0
        self.kick = kick
        self.call = call
    }

    /// The next request of the driver, or nil when there is none.
    ///
    /// - Throws: what is wrong with the ring or the chain. The chain is then taken; return it with
    ///   ``complete(_:byteCount:)`` where its head is known, or let the device fail.
    public func next() throws(VirtioError) -> DescriptorChain? {
        let index: UInt16
        let head: UInt16
        do { index = try available.loadAcquire(at: 2) } catch { throw .ring(error) }
        let distance = index &- taken
        if distance == 0 { return nil }
        if distance > size { throw .availableIndex(distance: distance, size: size) }
        let slot = Int(taken & (size &- 1))
        do { head = try available.load(at: 4 &+ 2 &* slot) } catch { throw .ring(error) }
        taken &+= 1
        return try chain(from: head)
    }

    /// How many requests wait behind the last one taken. A hint: more may come, and none of them is checked.
    public var pendingCount: UInt16 {
        ((try? available.loadAcquire(at: 2)) ?? nextAvailable) &- nextAvailable
    }

    /// Tells the driver not to kick while the device is looking anyway. A hint: kicks may come all the same.
    public func disableKicks() {
        // The ring was checked in init, so these stores cannot fail.
        if !usesEventIndex { try? used.store(UInt16(1), at: 0) }
    }

    /// Asks for kicks again. True where requests came meanwhile: then look once more before waiting.
    public func enableKicks() -> Bool {
        if usesEventIndex {
            try? used.store(taken, at: 4 + 8 * Int(size))
        } else {
            try? used.store(UInt16(0), at: 0)
        }
        cl_fence()
        guard let index = try? available.loadAcquire(at: 2) else { return false }
        return index != taken
    }

    /// Returns the request `head`, into which `byteCount` bytes were written. Call ``notify()`` afterwards.
    public func complete(_ head: UInt16, byteCount: UInt32) throws(VirtioError) {
        guard head < size else { throw .descriptorIndex(head, size: UInt32(size)) }
        let slot = 4 &+ 8 &* Int(nextUsed & (size &- 1))
        do {
            // struct virtq_used_elem, §2.7.8: id, then length.
            try used.store(UInt64(head) | UInt64(byteCount) << 32, at: slot)
            nextUsed &+= 1
            try used.storeRelease(nextUsed, at: 2)
        } catch {
            throw .ring(error)
        }
    }

    /// Signals the driver, unless it asked not to be, virtio 1.2 §2.7.10.
    public func notify() {
        cl_fence()
        if usesEventIndex {
            let wanted = (try? available.load(UInt16.self, at: 4 + 2 * Int(size))) ?? nextUsed
            let previous = lastSignalled
            lastSignalled = nextUsed
            // §2.7.10: whether `wanted` lies in [previous, nextUsed).
            if nextUsed &- wanted &- 1 < nextUsed &- previous { call.signal() }
        } else if let flags = try? available.load(UInt16.self, at: 0), flags & 1 == 0 {
            call.signal()
        }
    }

    /// Makes `descriptor` what ``call`` signals from now on, dup3(2): a front-end may route a queue's interrupt
    /// elsewhere while the device works. Safe beside the thread that uses the queue.
    public func replaceCall(with descriptor: borrowing FileDescriptor) throws(Errno) {
        try syscall(
            __NR_dup3, descriptor.borrowed.argument, call.descriptor.borrowed.argument, Int(O_CLOEXEC))
    }

    /// Gives the last `count` chains back to the available ring: the device could not serve them yet.
    public func rewind(_ count: UInt16 = 1) {
        taken &-= count
    }
}
