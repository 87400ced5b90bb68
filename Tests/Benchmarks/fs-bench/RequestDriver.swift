// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory
import Linux
import TestSupport

/// Drives one request queue of a virtio file system device, whoever serves it, with a fixed number of
/// requests in flight. Each slot has its four descriptors and its buffers for good, so that the driver costs
/// little beside the server.
final class RequestDriver {
    static let queueSize: UInt16 = 1024
    /// Header, structure and names of a request.
    static let requestRoom = 512

    /// The place of one request in flight.
    final class Slot {
        fileprivate let head: UInt16
        fileprivate let request: MockMemory.Buffer
        /// What a WRITE sends.
        let payload: MockMemory.Buffer?
        fileprivate let header: MockMemory.Buffer
        let reply: MockMemory.Buffer
        /// What the slot is at, for whoever drives it.
        var step = 0
        var node: UInt64 = 0
        var handle: UInt64 = 0
        /// The name of the file it has made.
        var made = ""

        fileprivate init(_ index: Int, _ memory: MockMemory, dataRoom: Int, writes: Bool) throws {
            head = UInt16(4 * index)
            request = try memory.allocate(requestRoom)
            payload = writes ? try memory.allocate(dataRoom, alignment: 4096) : nil
            header = try memory.allocate(16)
            reply = try memory.allocate(writes ? 4096 : dataRoom, alignment: 4096)
        }

        /// The error number of the reply; 0: none.
        func error() throws -> Int32 { try -header.slice.load(Int32.self, at: 4) }
    }

    private let driver: MockDriver
    private let queue: MockQueue
    private let epoll: Epoll
    private var lastUsed: UInt16 = 0
    private var unique: UInt64 = 0
    private(set) var slots: [Slot] = []

    init(connection: consuming FileDescriptor, memoryByteCount: UInt64) throws {
        driver = try MockDriver(
            connection: connection, queueSizes: [Self.queueSize, Self.queueSize], memoryByteCount: memoryByteCount)
        queue = driver.queues[1]
        epoll = try Epoll()
        try epoll.add(queue.call.descriptor.borrowed, .readable, token: 0)
    }

    /// Makes room for `depth` requests in flight, each with `dataRoom` bytes to read, or to write.
    func prepare(depth: Int, dataRoom: Int, writes: Bool = false) throws {
        slots = try (0..<depth).map { try Slot($0, driver.memory, dataRoom: dataRoom, writes: writes) }
    }

    /// Offers a request: `body` after the header, the whole payload where `sendsPayload`, and room for
    /// `replyCount` bytes after the reply's header.
    func submit(
        _ slot: Slot, _ opcode: UInt32, _ node: UInt64, replyCount: Int, sendsPayload: Bool = false,
        _ body: (GuestSlice) throws -> Int
    ) throws {
        let count = try 40 + body(slot.request.slice.part(from: 40, byteCount: Self.requestRoom - 40))
        let payload = sendsPayload ? slot.payload : nil
        unique += 1
        let slice = slot.request.slice
        try slice.store(UInt32(count + (payload?.byteCount ?? 0)), at: 0)
        try slice.store(opcode, at: 4)
        try slice.store(unique, at: 8)
        try slice.store(node, at: 16)
        for offset in stride(from: 24, to: 40, by: 8) { try slice.store(UInt64(0), at: offset) }
        var index = slot.head
        try queue.describe(
            index, address: slot.request.address.rawValue, byteCount: UInt32(count), flags: 1, next: index + 1)
        index += 1
        if let payload {
            try queue.describe(
                index, address: payload.address.rawValue, byteCount: UInt32(payload.byteCount), flags: 1,
                next: index + 1)
            index += 1
        }
        let hasBody = replyCount > 0
        try queue.describe(
            index, address: slot.header.address.rawValue, byteCount: 16, flags: hasBody ? 3 : 2, next: index + 1)
        if hasBody {
            try queue.describe(index + 1, address: slot.reply.address.rawValue, byteCount: UInt32(replyCount), flags: 2)
        }
        try queue.offer(slot.head)
    }

    func notify() throws { try queue.notify() }

    /// Calls `body` with every slot that was answered, at least one.
    func collect(_ body: (Slot) throws -> Void) throws {
        var answered = false
        while !answered {
            while try lastUsed != queue.used.loadAcquire(at: 2) {
                let head = try queue.used.load(UInt32.self, at: 4 + 8 * Int(lastUsed & (Self.queueSize - 1)))
                lastUsed &+= 1
                answered = true
                try body(slots[Int(head) / 4])
            }
            if answered { return }
            // Call at the very next one, then look once more before sleeping.
            try queue.available.store(lastUsed, at: 4 + 2 * Int(Self.queueSize))
            cl_fence()
            if try lastUsed != queue.used.loadAcquire(at: 2) { continue }
            if try epoll.wait(milliseconds: 10_000).isEmpty { throw NoAnswer() }
            queue.call.drain()
        }
    }

    /// One request by itself, in the first slot.
    func call(_ opcode: UInt32, _ node: UInt64, replyCount: Int, _ body: (GuestSlice) throws -> Int) throws -> Slot {
        try submit(slots[0], opcode, node, replyCount: replyCount, body)
        try notify()
        try collect { _ in }
        let error = try slots[0].error()
        if error != 0 { throw Refused(opcode: opcode, error: Errno(rawValue: error)) }
        return slots[0]
    }

    struct NoAnswer: Error {}
    struct Refused: Error {
        let opcode: UInt32
        let error: Errno
    }
}

extension GuestSlice {
    /// Writes a NUL-ended name.
    ///
    /// - Returns: the offset behind it.
    func store(name: String, at offset: Int) throws -> Int {
        var end = offset
        for byte in name.utf8 {
            try store(byte, at: end)
            end += 1
        }
        try store(UInt8(0), at: end)
        return end + 1
    }
}
