// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Testing
import VsockDriver

@testable import Vsock

/// A host without sockets: what streams send is kept, what they receive is what the test put there.
final class FakeHost: HostPorts {
    var streams: [FakeStream] = []
    var answer: Errno?
    var dialed: [UInt32] = []

    func connect(toPort port: UInt32, token: UInt64) throws(Errno) -> any HostStream {
        dialed.append(port)
        if let answer { throw answer }
        let stream = FakeStream(token: token)
        streams.append(stream)
        return stream
    }
}

final class FakeStream: HostStream {
    let token: UInt64
    var toHost: [UInt8] = []
    var room = Int.max
    var fromHost: [UInt8] = []
    var failure = Errno.wouldBlock
    var isEnded = false
    var sendFailure: Errno?
    var sendingEnded = false
    var receivingEnded = false

    init(token: UInt64) { self.token = token }

    func receive(into slices: [GuestSlice]) throws(Errno) -> Int {
        if fromHost.isEmpty {
            if isEnded { return 0 }
            throw failure
        }
        let count = min(slices.byteCount, fromHost.count)
        try? slices.store(Array(fromHost.prefix(count)))
        fromHost.removeFirst(count)
        return count
    }

    func send(_ slices: [GuestSlice]) throws(Errno) -> Int { try send(slices.flatMap { $0.bytes() }[...]) }

    func send(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
        if let sendFailure { throw sendFailure }
        if room == 0 { throw .wouldBlock }
        let count = min(room, bytes.count)
        toHost += bytes.prefix(count)
        room -= count
        return count
    }

    func endSending() { sendingEnded = true }
    func endReceiving() { receivingEnded = true }
}

/// A muxer between a fake host and a buffer.
final class MuxerHarness {
    let host = FakeHost()
    let muxer: Muxer
    let memory: GuestMemory
    var now = Duration.zero
    static let cid = VsockDriver.guestCID

    init(limits: VsockLimits = VsockLimits()) throws {
        muxer = Muxer(guestCID: Self.cid, host: host, limits: limits)
        memory = try VsockDriver().memory
    }

    func send(_ packet: PacketHeader, _ payload: [UInt8] = []) throws {
        let slice = try memory.slice(at: GuestAddress(rawValue: 1 << 20), byteCount: UInt64(max(payload.count, 1)))
        let part = try slice.part(from: 0, byteCount: payload.count)
        try [part].store(payload)
        muxer.receive(packet, payload: payload.isEmpty ? [] : [part], now: now)
    }

    func send(
        _ operation: Vsock.Operation, port: UInt32 = 7, to hostPort: UInt32 = 1024, _ payload: [UInt8] = [],
        flags: UInt32 = 0,
        window: UInt32 = 262144, forwarded: UInt32 = 0
    ) throws {
        try send(
            VsockDriver.packet(
                operation, from: port, to: hostPort, window: window, forwarded: forwarded, payloadCount: payload.count,
                flags: flags), payload)
    }

    func next(room: Int = 4096) throws -> (PacketHeader, [UInt8])? {
        let slice = try memory.slice(at: GuestAddress(rawValue: 2 << 20), byteCount: UInt64(44 + room))
        guard let count = try muxer.nextPacket(into: [slice], now: now) else { return nil }
        guard let packet = PacketHeader(in: [slice]) else { return nil }
        return (packet, Array(slice.bytes()[44..<count]))
    }

    /// Everything that is due, in order.
    func operations() throws -> [Vsock.Operation] {
        var operations: [Vsock.Operation] = []
        while let (packet, _) = try next() { operations.append(packet.operation) }
        return operations
    }

    func event(_ stream: FakeStream, _ events: Epoll.Events) {
        muxer.streamChanged(token: stream.token, events: events, now: now)
    }

    /// A connection the guest has made.
    func established(port: UInt32 = 7, window: UInt32 = 262144) throws -> FakeStream {
        try send(.request, port: port, window: window)
        #expect(try operations() == [.response])
        return try #require(host.streams.last)
    }
}
