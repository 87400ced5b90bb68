import GuestMemory
import Linux
import Testing
import VsockDriver

@testable import Vsock

/// A host without sockets: what streams send is kept, what they receive is what the test put there.
private final class FakeHost: HostPorts {
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

private final class FakeStream: HostStream {
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
private final class Bench {
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

@Suite("The muxer, with a fake host")
struct MuxerTests {
    @Test func aConnectionOfTheGuest() throws {
        let bench = try Bench()
        let stream = try bench.established()
        #expect(bench.host.dialed == [1024])
        try bench.send(.readWrite, [1, 2, 3])
        #expect(stream.toHost == [1, 2, 3])
        stream.fromHost = [4, 5]
        bench.event(stream, .readable)
        let (packet, payload) = try #require(try bench.next())
        #expect(packet.operation == .readWrite)
        #expect(packet.forwarded == 3)
        #expect(payload == [4, 5])
        #expect(try bench.next() == nil)
    }

    @Test func nobodyListens() throws {
        let bench = try Bench()
        bench.host.answer = .connectionRefused
        try bench.send(.request)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func aFullBacklogIsTriedAgain() throws {
        let bench = try Bench()
        bench.host.answer = .wouldBlock
        try bench.send(.request)
        #expect(try bench.operations() == [])
        bench.now += .milliseconds(5)
        bench.muxer.passTime(now: bench.now)
        #expect(bench.host.dialed.count == 2)
        bench.host.answer = nil
        bench.now += .milliseconds(5)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.response])
        #expect(bench.muxer.nextDeadline == nil || bench.muxer.nextDeadline! > bench.now)
    }

    @Test func aFullBacklogIsNotTriedForEver() throws {
        let bench = try Bench()
        bench.host.answer = .wouldBlock
        try bench.send(.request)
        bench.now += .seconds(3)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func aConnectionOfTheHost() throws {
        let bench = try Bench()
        let stream = FakeStream(token: bench.muxer.newToken())
        stream.fromHost = [9]
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        bench.event(stream, .readable)
        let (request, _) = try #require(try bench.next())
        #expect(request.operation == .request)
        #expect(request.destinationPort == 500)
        #expect(try bench.next() == nil, "data before the guest has accepted")
        try bench.send(.response, port: 500, to: request.sourcePort)
        #expect(stream.toHost == Array("OK \(request.sourcePort)\n".utf8))
        let (data, payload) = try #require(try bench.next())
        #expect(data.forwarded == 0, "the answer to the host is none of the guest's bytes")
        #expect(payload == [9])
    }

    @Test func theGuestDoesNotAnswer() throws {
        let bench = try Bench()
        let stream = FakeStream(token: bench.muxer.newToken())
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        #expect(try bench.operations() == [.request])
        bench.now += Patience.request + .seconds(1)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func aHostPeerThatLeavesBeforeTheAnswer() throws {
        let bench = try Bench()
        let stream = FakeStream(token: bench.muxer.newToken())
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        bench.event(stream, [.readable, .peerHangUp, .hangUp])
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func forgedSendersAreNotAnswered() throws {
        let bench = try Bench()
        var packet = VsockDriver.packet(.request, from: 7, to: 1024)
        packet.sourceCID = 43
        try bench.send(packet)
        packet.sourceCID = 2
        try bench.send(packet)
        #expect(try bench.operations() == [])
        #expect(bench.host.dialed.isEmpty)
    }

    @Test func whatIsNotForTheHostIsRefused() throws {
        let bench = try Bench()
        var packet = VsockDriver.packet(.request, from: 7, to: 1024)
        packet.destinationCID = 3
        try bench.send(packet)
        let (reset, _) = try #require(try bench.next())
        #expect(reset.operation == .reset)
        #expect(reset.sourceCID == 3)
        packet.destinationCID = 2
        packet.type = 2
        try bench.send(packet)
        let (other, _) = try #require(try bench.next())
        #expect(other.operation == .reset)
        #expect(other.type == 2)
        #expect(bench.host.dialed.isEmpty)
    }

    @Test func packetsOfNoConnection() throws {
        let bench = try Bench()
        for operation in [Operation.response, .readWrite, .shutdown, .creditUpdate, .creditRequest, .unknown(77)] {
            try bench.send(operation)
        }
        #expect(try bench.operations() == Array(repeating: .reset, count: 6))
        try bench.send(.reset)
        #expect(try bench.operations() == [], "RST answered with RST")
    }

    @Test func connectionsAreLimited() throws {
        var limits = VsockLimits()
        limits.connections = 3
        let bench = try Bench(limits: limits)
        for port: UInt32 in 1...5 { try bench.send(.request, port: port) }
        #expect(bench.host.dialed.count == 3)
        #expect(Set(try bench.operations()) == [.response, .reset])
        #expect(bench.muxer.connectionCount == 3)
        let stream = FakeStream(token: bench.muxer.newToken())
        #expect(!bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        try bench.send(.reset, port: 1)
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
    }

    @Test func aSecondRequestOnTheSamePorts() throws {
        let bench = try Bench()
        _ = try bench.established()
        try bench.send(.request)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func floodsOfRefusalsStopAtTheBound() throws {
        var limits = VsockLimits()
        limits.resets = 10
        let bench = try Bench(limits: limits)
        bench.host.answer = .connectionRefused
        for port: UInt32 in 0..<10 {
            #expect(!bench.muxer.isCongested)
            try bench.send(.request, port: port)
        }
        #expect(bench.muxer.isCongested)
        _ = try bench.next()
        #expect(!bench.muxer.isCongested)
    }

    @Test func aSlowHostHoldsTheGuestBack() throws {
        var limits = VsockLimits()
        limits.window = 1000
        let bench = try Bench(limits: limits)
        let stream = try bench.established()
        stream.room = 100
        try bench.send(.readWrite, [UInt8](repeating: 1, count: 600))
        try bench.send(.readWrite, [UInt8](repeating: 2, count: 400))
        #expect(stream.toHost.count == 100)
        #expect(try bench.operations() == [], "credit for bytes that are still here")
        stream.room = .max
        bench.event(stream, .writable)
        #expect(stream.toHost == [UInt8](repeating: 1, count: 600) + [UInt8](repeating: 2, count: 400))
        let (update, _) = try #require(try bench.next())
        #expect(update.operation == .creditUpdate)
        #expect(update.forwarded == 1000)
    }

    @Test func moreThanTheWindow() throws {
        var limits = VsockLimits()
        limits.window = 1000
        let bench = try Bench(limits: limits)
        let stream = try bench.established()
        stream.room = 0
        try bench.send(.readWrite, [UInt8](repeating: 1, count: 1001))
        #expect(try bench.operations() == [.reset])
        #expect(stream.toHost.isEmpty)
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func aSlowGuestIsNotReadFor() throws {
        let bench = try Bench()
        let stream = try bench.established(window: 1000)
        stream.fromHost = [UInt8](repeating: 5, count: 3000)
        bench.event(stream, .readable)
        var received = 0
        var operations: [Vsock.Operation] = []
        while let (packet, payload) = try bench.next(room: 300) {
            operations.append(packet.operation)
            received += payload.count
        }
        #expect(received == 1000)
        #expect(stream.fromHost.count == 2000)
        #expect(operations.last == .creditRequest)
        try bench.send(.creditUpdate, window: 1000, forwarded: 1000)
        received = 0
        while let (_, payload) = try bench.next() { received += payload.count }
        #expect(received == 1000)
    }

    @Test func everyConnectionGetsItsTurn() throws {
        let bench = try Bench()
        let loud = try bench.established(port: 1)
        let quiet = try bench.established(port: 2)
        loud.fromHost = [UInt8](repeating: 1, count: 100_000)
        quiet.fromHost = [2]
        bench.event(loud, .readable)
        bench.event(quiet, .readable)
        let ports = [try bench.next()?.0.destinationPort, try bench.next()?.0.destinationPort]
        #expect(ports == [1, 2])
    }

    @Test func theHostEndsItsHalf() throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.fromHost = [1]
        stream.isEnded = true
        bench.event(stream, [.readable, .peerHangUp])
        #expect(try bench.next()?.1 == [1])
        bench.event(stream, [.readable, .peerHangUp])
        let (shutdown, _) = try #require(try bench.next())
        #expect(shutdown.operation == .shutdown)
        #expect(shutdown.flags == 2)
        try bench.send(.readWrite, [7])
        #expect(stream.toHost == [7], "the other half goes on")
    }

    @Test func theHostCloses() throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.fromHost = [1]
        stream.isEnded = true
        stream.sendFailure = .brokenPipe
        bench.event(stream, [.readable, .peerHangUp, .hangUp])
        #expect(try bench.next()?.1 == [1])
        let (shutdown, _) = try #require(try bench.next())
        #expect(shutdown.flags == 3)
        try bench.send(.readWrite, [7])
        try bench.send(.reset)
        #expect(bench.muxer.connectionCount == 0)
        #expect(try bench.operations() == [])
    }

    @Test func aGuestThatNeverConfirmsTheEnd() throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.isEnded = true
        bench.event(stream, [.readable, .hangUp])
        #expect(try bench.operations() == [.shutdown])
        bench.now += .seconds(11)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func theHostReadsNoMore() throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.sendFailure = .brokenPipe
        try bench.send(.readWrite, [7])
        let (shutdown, _) = try #require(try bench.next())
        #expect(shutdown.flags == 1)
        stream.fromHost = [3]
        bench.event(stream, .readable)
        #expect(try bench.next()?.1 == [3], "the other half goes on")
    }

    @Test func theHostBreaksOff() throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.failure = .connectionReset
        bench.event(stream, [.readable, .error])
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func theGuestEndsItsHalfBehindItsBytes() throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.room = 1
        try bench.send(.readWrite, [1, 2, 3])
        try bench.send(.shutdown, flags: 2)
        #expect(!stream.sendingEnded, "the end overtook the bytes")
        stream.room = .max
        bench.event(stream, .writable)
        #expect(stream.toHost == [1, 2, 3])
        #expect(stream.sendingEnded)
        #expect(!stream.receivingEnded)
        stream.fromHost = [4]
        bench.event(stream, .readable)
        #expect(try bench.next()?.1 == [4])
    }

    @Test func theGuestReadsNoMore() throws {
        let bench = try Bench()
        let stream = try bench.established()
        try bench.send(.shutdown, flags: 1)
        #expect(stream.receivingEnded)
        stream.fromHost = [4]
        bench.event(stream, .readable)
        #expect(try bench.next() == nil)
    }

    @Test("what the guest sent is handed on, however it leaves", arguments: [Vsock.Operation.shutdown, .reset])
    func lastBytes(_ operation: Vsock.Operation) throws {
        let bench = try Bench()
        let stream = try bench.established()
        stream.room = 1
        try bench.send(.readWrite, [1, 2, 3])
        try bench.send(operation, flags: 3)
        #expect(try bench.operations() == (operation == .shutdown ? [.reset] : []))
        #expect(bench.muxer.connectionCount == 1)
        // Its ports are free at once.
        try bench.send(.request)
        #expect(try bench.operations() == [.response])
        stream.room = .max
        bench.event(stream, .writable)
        #expect(stream.toHost == [1, 2, 3])
        #expect(bench.muxer.connectionCount == 1)
    }

    @Test func payloadThatIsNotThere() throws {
        let bench = try Bench()
        _ = try bench.established()
        bench.muxer.refuseMalformed(VsockDriver.packet(.readWrite, from: 7, to: 1024, payloadCount: 9))
        #expect(try bench.operations() == [.reset])
        bench.muxer.refuseMalformed(VsockDriver.packet(.readWrite, from: 7, to: 1024, payloadCount: 9))
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test func eventsOfStreamsThatAreGone() throws {
        let bench = try Bench()
        let stream = try bench.established()
        try bench.send(.reset)
        bench.event(stream, [.readable, .writable, .hangUp])
        #expect(try bench.operations() == [])
    }
}
