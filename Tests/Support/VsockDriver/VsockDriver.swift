// SPDX-License-Identifier: Apache-2.0
package import GuestMemory
import Linux
package import TestSupport
package import Virtio
package import Vsock

/// A guest's vsock driver without a guest: buffers of 4 KiB to receive in and of 64 KiB to send from, as
/// Linux's. Used by one thread.
package final class VsockDriver {
    package static let guestCID: UInt64 = 42
    package static let payloadLimit = 65536
    private static let queueSize: UInt16 = 128
    private static let sendSlots: UInt16 = 32

    package let receiveQueue: MockQueue
    package let transmitQueue: MockQueue
    private let mock: MockMemory
    private let receiveByteCount: Int
    private let receiveStart: UInt64 = 65536
    private let sendStart: UInt64 = 65536 + 128 * 8192
    private var freeSlots: [UInt16] = Array((0..<VsockDriver.sendSlots).map { 2 * $0 })
    private let epoll: Epoll

    /// - Parameter fillsBuffers: false leaves the receive queue empty, as a guest that stalls does.
    package init(receivePayload: Int = 4096, fillsBuffers: Bool = true) throws {
        // The queues are in the first 64 KiB.
        mock = try MockMemory(byteCount: 8 << 20, start: 0)
        receiveByteCount = receivePayload + PacketHeader.byteCount
        receiveQueue = try MockQueue(mock, size: Self.queueSize)
        transmitQueue = try MockQueue(mock, size: Self.queueSize)
        epoll = try Epoll()
        try epoll.add(receiveQueue.call.descriptor.borrowed, .readable, token: 0)
        try epoll.add(transmitQueue.call.descriptor.borrowed, .readable, token: 1)
        if fillsBuffers { try fillBuffers() }
    }

    package var memory: GuestMemory { mock.guest }

    /// All of the memory, for a front-end to hand over.
    package var piece: GuestMemory.Piece { mock.piece }

    package func fillBuffers() throws {
        for index in 0..<Self.queueSize {
            try receiveQueue.describe(
                index, address: receiveStart + 8192 * UInt64(index), byteCount: UInt32(receiveByteCount), flags: 2)
            try receiveQueue.offer(index)
        }
        receiveQueue.kick.signal()
    }

    /// What a transport hands to the device.
    package func activation(
        failed: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws -> VirtioActivation {
        VirtioActivation(
            memory: memory, features: VirtioFeature.version1 | 1,
            queues: [try receiveQueue.deviceQueue(), try transmitQueue.deviceQueue(), nil], failed: failed)
    }

    /// Waits for the device, at most `milliseconds`.
    ///
    /// - Returns: whether it did something.
    @discardableResult
    package func wait(milliseconds: Int32 = 1000) throws -> Bool {
        let events = try epoll.wait(milliseconds: milliseconds)
        for event in events {
            if event.token == 0 { receiveQueue.call.drain() } else { transmitQueue.call.drain() }
        }
        return !events.isEmpty
    }

    /// Sends a packet; `payloadCount` of the header is sent as it stands.
    ///
    /// - Returns: false where the queue is full.
    package func send(_ packet: PacketHeader, _ payload: ArraySlice<UInt8> = []) throws -> Bool {
        while let sent = try transmitQueue.takeUsed() { freeSlots.append(sent.head) }
        guard let head = freeSlots.popLast() else { return false }
        let start = sendStart + UInt64(head / 2) * 131072
        try memory.slice(at: GuestAddress(rawValue: start), byteCount: 44).store(packet)
        try transmitQueue.describe(
            head, address: start, byteCount: 44, flags: payload.isEmpty ? 0 : 1, next: head + 1)
        if !payload.isEmpty {
            let slice = try memory.slice(at: GuestAddress(rawValue: start + 4096), byteCount: UInt64(payload.count))
            try unsafe payload.withUnsafeBytes { try unsafe slice.copy($0, to: 0) }
            try transmitQueue.describe(head + 1, address: start + 4096, byteCount: UInt32(payload.count), flags: 0)
        }
        try transmitQueue.offer(head)
        transmitQueue.kick.signal()
        return true
    }

    /// The next packet of the device; `take` sees the payload before the buffer is given back.
    package func receive<Result>(_ take: (PacketHeader, GuestSlice) -> Result) throws -> Result? {
        guard let used = try receiveQueue.takeUsed() else { return nil }
        let slice = try memory.slice(
            at: GuestAddress(rawValue: receiveStart + 8192 * UInt64(used.head)), byteCount: UInt64(used.byteCount))
        guard let packet = PacketHeader(in: [slice]) else { return nil }
        let payload = try slice.part(from: 44, byteCount: used.byteCount - 44)
        let result = take(packet, payload)
        try receiveQueue.offer(used.head)
        receiveQueue.kick.signal()
        return result
    }

    /// The next packet of the device with its payload, waiting at most `milliseconds` for it.
    package func nextPacket(milliseconds: Int32 = 2000) throws -> (PacketHeader, [UInt8])? {
        while true {
            if let found = try receive({ ($0, $1.bytes()) }) { return found }
            if try !wait(milliseconds: milliseconds) { return try receive { ($0, $1.bytes()) } }
        }
    }

    /// A packet of this guest.
    package static func packet(
        _ operation: Operation, from guestPort: UInt32, to hostPort: UInt32, window: UInt32 = 262144,
        forwarded: UInt32 = 0, payloadCount: Int = 0, flags: UInt32 = 0
    ) -> PacketHeader {
        var packet = PacketHeader(
            sourceCID: guestCID, destinationCID: ContextID.host, sourcePort: guestPort, destinationPort: hostPort,
            operation: operation)
        packet.window = window
        packet.forwarded = forwarded
        packet.payloadCount = UInt32(payloadCount)
        packet.flags = flags
        return packet
    }
}

extension GuestSlice {
    fileprivate func store(_ packet: PacketHeader) throws { try packet.write(to: [self]) }
}
