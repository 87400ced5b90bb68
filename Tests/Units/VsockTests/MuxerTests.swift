// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Testing
import VsockDriver

@testable import Vsock

@Suite("The muxer, with a fake host")
struct MuxerTests {
    @Test("A guest's connection reaches its host port and carries bytes in both directions")
    func aConnectionOfTheGuest() throws {
        let bench = try MuxerHarness()
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

    @Test("A request to a port without a listener is reset")
    func nobodyListens() throws {
        let bench = try MuxerHarness()
        bench.host.answer = .connectionRefused
        try bench.send(.request)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("A request to a full backlog is tried again")
    func aFullBacklogIsTriedAgain() throws {
        let bench = try MuxerHarness()
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

    @Test("A request to a backlog that stays full is reset")
    func aFullBacklogIsNotTriedForEver() throws {
        let bench = try MuxerHarness()
        bench.host.answer = .wouldBlock
        try bench.send(.request)
        bench.now += .seconds(3)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("A host's connection carries bytes only after the guest has accepted")
    func aConnectionOfTheHost() throws {
        let bench = try MuxerHarness()
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

    @Test("A host's request that the guest does not answer is reset")
    func theGuestDoesNotAnswer() throws {
        let bench = try MuxerHarness()
        let stream = FakeStream(token: bench.muxer.newToken())
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        #expect(try bench.operations() == [.request])
        bench.now += Patience.request + .seconds(1)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("A host peer that leaves before the answer resets its request")
    func aHostPeerThatLeavesBeforeTheAnswer() throws {
        let bench = try MuxerHarness()
        let stream = FakeStream(token: bench.muxer.newToken())
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        bench.event(stream, [.readable, .peerHangUp, .hangUp])
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("Packets with a forged source are ignored")
    func forgedSendersAreNotAnswered() throws {
        let bench = try MuxerHarness()
        var packet = VsockDriver.packet(.request, from: 7, to: 1024)
        packet.sourceCID = 43
        try bench.send(packet)
        packet.sourceCID = 2
        try bench.send(packet)
        #expect(try bench.operations() == [])
        #expect(bench.host.dialed.isEmpty)
    }

    @Test("Packets for another destination or of another type are reset")
    func whatIsNotForTheHostIsRefused() throws {
        let bench = try MuxerHarness()
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

    @Test("Packets of no connection are reset, except for a reset")
    func packetsOfNoConnection() throws {
        let bench = try MuxerHarness()
        for operation in [Operation.response, .readWrite, .shutdown, .creditUpdate, .creditRequest, .unknown(77)] {
            try bench.send(operation)
        }
        #expect(try bench.operations() == Array(repeating: .reset, count: 6))
        try bench.send(.reset)
        #expect(try bench.operations() == [], "RST answered with RST")
    }

    @Test("The number of connections is limited, and one that ends makes room")
    func connectionsAreLimited() throws {
        var limits = VsockLimits()
        limits.connections = 3
        let bench = try MuxerHarness(limits: limits)
        for port: UInt32 in 1...5 { try bench.send(.request, port: port) }
        #expect(bench.host.dialed.count == 3)
        #expect(Set(try bench.operations()) == [.response, .reset])
        #expect(bench.muxer.connectionCount == 3)
        let stream = FakeStream(token: bench.muxer.newToken())
        #expect(!bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
        try bench.send(.reset, port: 1)
        #expect(bench.muxer.request(guestPort: 500, stream: stream, token: stream.token, now: bench.now))
    }

    @Test("A second request on the same ports resets the connection")
    func aSecondRequestOnTheSamePorts() throws {
        let bench = try MuxerHarness()
        _ = try bench.established()
        try bench.send(.request)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("The muxer is congested while its queue of resets is full")
    func floodsOfRefusalsStopAtTheBound() throws {
        var limits = VsockLimits()
        limits.resets = 10
        let bench = try MuxerHarness(limits: limits)
        bench.host.answer = .connectionRefused
        for port: UInt32 in 0..<10 {
            #expect(!bench.muxer.isCongested)
            try bench.send(.request, port: port)
        }
        #expect(bench.muxer.isCongested)
        _ = try bench.next()
        #expect(!bench.muxer.isCongested)
    }

    @Test("The guest gets credit only for bytes that the host has taken")
    func aSlowHostHoldsTheGuestBack() throws {
        var limits = VsockLimits()
        limits.window = 1000
        let bench = try MuxerHarness(limits: limits)
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

    @Test("Data beyond the window resets the connection")
    func moreThanTheWindow() throws {
        var limits = VsockLimits()
        limits.window = 1000
        let bench = try MuxerHarness(limits: limits)
        let stream = try bench.established()
        stream.room = 0
        try bench.send(.readWrite, [UInt8](repeating: 1, count: 1001))
        #expect(try bench.operations() == [.reset])
        #expect(stream.toHost.isEmpty)
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("The host is read only as far as the guest's credit goes")
    func aSlowGuestIsNotReadFor() throws {
        let bench = try MuxerHarness()
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

    @Test("Connections with data take turns")
    func everyConnectionGetsItsTurn() throws {
        let bench = try MuxerHarness()
        let loud = try bench.established(port: 1)
        let quiet = try bench.established(port: 2)
        loud.fromHost = [UInt8](repeating: 1, count: 100_000)
        quiet.fromHost = [2]
        bench.event(loud, .readable)
        bench.event(quiet, .readable)
        let ports = [try bench.next()?.0.destinationPort, try bench.next()?.0.destinationPort]
        #expect(ports == [1, 2])
    }

    @Test("A host that ends its direction sends a shutdown and still receives")
    func theHostEndsItsHalf() throws {
        let bench = try MuxerHarness()
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

    @Test("A host that closes shuts down both directions after its last bytes")
    func theHostCloses() throws {
        let bench = try MuxerHarness()
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

    @Test("A shutdown that the guest never confirms ends in a reset")
    func aGuestThatNeverConfirmsTheEnd() throws {
        let bench = try MuxerHarness()
        let stream = try bench.established()
        stream.isEnded = true
        bench.event(stream, [.readable, .hangUp])
        #expect(try bench.operations() == [.shutdown])
        bench.now += .seconds(11)
        bench.muxer.passTime(now: bench.now)
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("A host that stops reading shuts down that direction alone")
    func theHostReadsNoMore() throws {
        let bench = try MuxerHarness()
        let stream = try bench.established()
        stream.sendFailure = .brokenPipe
        try bench.send(.readWrite, [7])
        let (shutdown, _) = try #require(try bench.next())
        #expect(shutdown.flags == 1)
        stream.fromHost = [3]
        bench.event(stream, .readable)
        #expect(try bench.next()?.1 == [3], "the other half goes on")
    }

    @Test("A host's connection error resets the connection")
    func theHostBreaksOff() throws {
        let bench = try MuxerHarness()
        let stream = try bench.established()
        stream.failure = .connectionReset
        bench.event(stream, [.readable, .error])
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("The guest's shutdown follows its bytes, and the other direction goes on")
    func theGuestEndsItsHalfBehindItsBytes() throws {
        let bench = try MuxerHarness()
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

    @Test("A guest that stops reading is sent no more data")
    func theGuestReadsNoMore() throws {
        let bench = try MuxerHarness()
        let stream = try bench.established()
        try bench.send(.shutdown, flags: 1)
        #expect(stream.receivingEnded)
        stream.fromHost = [4]
        bench.event(stream, .readable)
        #expect(try bench.next() == nil)
    }

    @Test(
        "Bytes that the guest sent before it left still reach the host", arguments: [Vsock.Operation.shutdown, .reset])
    func lastBytes(_ operation: Vsock.Operation) throws {
        let bench = try MuxerHarness()
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

    @Test("A packet without its payload resets the connection")
    func payloadThatIsNotThere() throws {
        let bench = try MuxerHarness()
        _ = try bench.established()
        bench.muxer.refuseMalformed(VsockDriver.packet(.readWrite, from: 7, to: 1024, payloadCount: 9))
        #expect(try bench.operations() == [.reset])
        bench.muxer.refuseMalformed(VsockDriver.packet(.readWrite, from: 7, to: 1024, payloadCount: 9))
        #expect(try bench.operations() == [.reset])
        #expect(bench.muxer.connectionCount == 0)
    }

    @Test("Events of ended streams are ignored")
    func eventsOfStreamsThatAreGone() throws {
        let bench = try MuxerHarness()
        let stream = try bench.established()
        try bench.send(.reset)
        bench.event(stream, [.readable, .writable, .hangUp])
        #expect(try bench.operations() == [])
    }
}
