// SPDX-License-Identifier: Apache-2.0
import CLinux
public import GuestMemory
public import Linux
public import Virtio

/// The driver's half of a split virtqueue, virtio 1.2 §2.7. One thread's.
///
/// Well-formed requests go through `add`; what is malformed on purpose is written with ``describe(_:address:byteCount:flags:next:)``
/// and ``offer(_:)``.
public final class MockQueue {
    /// A request that the device has used.
    public struct Used {
        public let head: UInt16
        /// As the device tells it.
        public let byteCount: Int
        public let writable: [MockMemory.Buffer]

        /// What the device wrote: the first `byteCount` bytes of the writable buffers.
        public var bytes: [UInt8] { Array(writable.flatMap { $0.slice.bytes() }.prefix(byteCount)) }
    }

    public struct TimedOut: Error {}
    /// The driver has no descriptors left.
    public struct Full: Error {}
    /// The device returned a head that it had not been given.
    public struct UnknownHead: Error { public let head: UInt32 }

    public let size: UInt16
    public let layout: Virtqueue.Layout
    public let kick: EventFD
    public let call: EventFD
    public let features: UInt64
    public let memory: MockMemory
    public let descriptors: GuestSlice
    public let available: GuestSlice
    public let used: GuestSlice

    private struct Pending {
        var chain: [UInt16]
        var owned: [MockMemory.Buffer]
        var writable: [MockMemory.Buffer]
    }
    private var freeDescriptors: [UInt16]
    private var pending: [UInt16: Pending] = [:]
    public private(set) var nextAvailable: UInt16 = 0
    private var kickedAvailable: UInt16 = 0
    private var nextUsed: UInt16 = 0
    private let epoll: Epoll

    /// A queue with eventfds of its own.
    public convenience init(_ memory: MockMemory, size: UInt16, features: UInt64 = VirtioFeature.version1) throws {
        try self.init(memory, size: size, features: features, kick: EventFD(), call: EventFD())
    }

    /// - Parameter call: several queues may share what it is open on.
    public init(
        _ memory: MockMemory, size: UInt16, features: UInt64, kick: consuming EventFD, call: consuming EventFD
    ) throws {
        self.memory = memory
        self.size = size
        self.features = features
        let table = try memory.allocate(16 * Int(size), alignment: 4096)
        let available = try memory.allocate(6 + 2 * Int(size), alignment: 4096)
        let used = try memory.allocate(6 + 8 * Int(size), alignment: 4096)
        (descriptors, self.available, self.used) = (table.slice, available.slice, used.slice)
        layout = Virtqueue.Layout(
            size: size, descriptors: table.address, available: available.address, used: used.address)
        self.kick = kick
        self.call = call
        freeDescriptors = (0..<size).reversed()
        epoll = try Epoll()
        try epoll.add(self.call.descriptor.borrowed, .readable, token: 0)
    }

    /// The device's half, for a device in this process.
    public func deviceQueue(nextAvailable: UInt16 = 0) throws -> Virtqueue {
        try Virtqueue(
            memory: memory.guest, layout: layout, features: features, nextAvailable: nextAvailable,
            kick: EventFD(owning: kick.descriptor.duplicate()), call: EventFD(owning: call.descriptor.duplicate()))
    }

    // MARK: well-formed

    /// A request: bytes for the device to read, then room for so many bytes each to write. Not kicked.
    @discardableResult
    public func add(readable: [[UInt8]] = [], writable: [Int] = [], indirect: Bool = false) throws -> UInt16 {
        let inputs = try readable.map { try memory.allocate($0) }
        let outputs = try writable.map { try memory.allocate($0) }
        let head = try add(readable: inputs, writable: outputs, indirect: indirect)
        pending[head]?.owned += inputs + outputs
        return head
    }

    /// A request in buffers of the caller's.
    @discardableResult
    public func add(
        readable: [MockMemory.Buffer], writable: [MockMemory.Buffer], indirect: Bool = false
    ) throws -> UInt16 {
        let buffers = readable + writable
        var request = Pending(chain: [], owned: [], writable: writable)
        if indirect {
            let table = try memory.allocate(16 * buffers.count)
            request.owned.append(table)
            for (index, buffer) in buffers.enumerated() {
                let flags: UInt16 = (index >= readable.count ? 2 : 0) | (index + 1 < buffers.count ? 1 : 0)
                try MockQueue.describe(
                    in: table.slice, UInt16(index), address: buffer.address.rawValue,
                    byteCount: UInt32(buffer.byteCount), flags: flags, next: UInt16(index + 1))
            }
            guard let only = freeDescriptors.popLast() else { throw Full() }
            request.chain = [only]
            try describe(only, address: table.address.rawValue, byteCount: UInt32(table.byteCount), flags: 4)
        } else {
            guard freeDescriptors.count >= buffers.count, !buffers.isEmpty else { throw Full() }
            request.chain = buffers.map { _ in freeDescriptors.removeLast() }
            for (index, buffer) in buffers.enumerated() {
                let isLast = index + 1 == buffers.count
                try describe(
                    request.chain[index], address: buffer.address.rawValue, byteCount: UInt32(buffer.byteCount),
                    flags: (index >= readable.count ? 2 : 0) | (isLast ? 0 : 1),
                    next: isLast ? 0 : request.chain[index + 1])
            }
        }
        let head = request.chain[0]
        pending[head] = request
        try offer(head)
        return head
    }

    /// Signals the device, unless it asked not to be, virtio 1.2 §2.7.10.
    ///
    /// - Returns: whether it was signalled.
    @discardableResult
    public func notify() throws -> Bool {
        cl_fence()
        let previous = kickedAvailable
        kickedAvailable = nextAvailable
        let wants: Bool
        if features & VirtioFeature.eventIndex != 0 {
            let event: UInt16 = try used.load(at: 4 + 8 * Int(size))
            wants = nextAvailable &- event &- 1 < nextAvailable &- previous
        } else {
            wants = try used.load(UInt16.self, at: 0) & 1 == 0
        }
        if wants { kick.signal() }
        return wants
    }

    /// The next request the device has used, if any.
    public func takeUsed() throws -> Used? {
        guard try used.loadAcquire(at: 2) != nextUsed else { return nil }
        let slot = 4 + 8 * Int(nextUsed & (size - 1))
        let head: UInt32 = try used.load(at: slot)
        let byteCount: UInt32 = try used.load(at: slot + 4)
        nextUsed &+= 1
        guard let head = UInt16(exactly: head) else { throw UnknownHead(head: head) }
        guard let request = pending.removeValue(forKey: head) else {
            // A chain written by hand.
            return Used(head: head, byteCount: Int(byteCount), writable: [])
        }
        freeDescriptors += request.chain.reversed()
        let result = Used(head: head, byteCount: Int(byteCount), writable: request.writable)
        for buffer in request.owned { memory.free(buffer) }
        return result
    }

    /// Waits for a request to be used. What the device wrote is to be read before the next `add`.
    public func waitUsed(milliseconds: Int32 = 5000) throws -> Used {
        let deadline = Deadline(after: .milliseconds(milliseconds))
        while true {
            if let result = try takeUsed() { return result }
            // The event index asks for a call at the very next use.
            if features & VirtioFeature.eventIndex != 0 { try available.store(nextUsed, at: 4 + 2 * Int(size)) }
            cl_fence()
            if let result = try takeUsed() { return result }
            // Nothing is no end yet: a ring of io_uring that closes elsewhere interrupts the wait.
            let left = Int32(clamping: deadline.nanosecondsLeft / 1_000_000 + 1)
            if try epoll.wait(milliseconds: left).isEmpty, deadline.hasPassed { throw TimedOut() }
            call.drain()
        }
    }

    // MARK: raw

    /// Writes descriptor `index` as it stands, right or wrong.
    public func describe(_ index: UInt16, address: UInt64, byteCount: UInt32, flags: UInt16, next: UInt16 = 0) throws {
        try MockQueue.describe(
            in: descriptors, index, address: address, byteCount: byteCount, flags: flags, next: next)
    }

    /// The same in any table, as an indirect one.
    public static func describe(
        in table: GuestSlice, _ index: UInt16, address: UInt64, byteCount: UInt32, flags: UInt16, next: UInt16 = 0
    ) throws {
        let offset = 16 * Int(index)
        try table.store(address, at: offset)
        try table.store(byteCount, at: offset + 8)
        try table.store(flags, at: offset + 12)
        try table.store(next, at: offset + 14)
    }

    /// Makes `head` available, whatever stands there.
    public func offer(_ head: UInt16) throws {
        try available.store(head, at: 4 + 2 * Int(nextAvailable & (size - 1)))
        nextAvailable &+= 1
        try available.storeRelease(nextAvailable, at: 2)
    }

    /// Moves the available index alone: claims requests that are not there.
    public func claimAvailable(_ index: UInt16) throws {
        nextAvailable = index
        try available.storeRelease(index, at: 2)
    }
}
