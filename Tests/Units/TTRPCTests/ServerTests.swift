// SPDX-License-Identifier: Apache-2.0
import Linux
import TaskProtocol
import Testing

@testable import TTRPC

@Suite("TTRPC: server") struct ServerTests {
    @Test("A request and its answer match the protocol byte for byte")
    func aCallByHand() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        // service "ab", method "c", payload 9, a minute.
        let request: [UInt8] =
            [10, 2, 97, 98, 18, 1, 99, 26, 1, 9, 32, 0x80, 0xb0, 0x9d, 0xc2, 0xdf, 0x01]
        try peer.send([0, 0, 0, UInt8(request.count), 0, 0, 0, 1, 1, 0] + request)
        served.turn()
        let call = try #require(served.takeCalls().first)
        #expect(call.service == "ab" && call.method == "c" && call.payload == [9] && call.timeout == .seconds(60))
        #expect(!call.isGone)
        call.answer([1, 2])
        #expect(call.isGone)
        let bytes = try #require(try Socket.receive(upTo: 100, from: peer.socket.borrowed))
        // An empty status, then the payload.
        #expect(bytes == [0, 0, 0, 6, 0, 0, 0, 1, 2, 0, 10, 0, 18, 2, 1, 2])
    }

    @Test("Calls are answered in any order, each once")
    func answersInAnyOrderAndOnce() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        for stream in [1, 3, 7] { try peer.request(UInt32(stream), "M\(stream)") }
        served.turn()
        let calls = served.takeCalls()
        #expect(calls.map(\.method) == ["M1", "M3", "M7"])
        calls[2].answer([7])
        calls[0].fail(Failure(.notFound, "container \"x\""))
        calls[0].answer([0])
        calls[1].answer([3])
        calls[1].answer([4])
        let answers = try peer.answers()
        #expect(answers.map(\.stream) == [7, 1, 3])
        #expect(answers.map(\.response.payload) == [[7], [], [3]])
        #expect(answers[1].response.status == .with { ($0.code, $0.message) = (5, "container \"x\"") })
        #expect(answers[2].response.status == RPCStatus())
    }

    @Test("A handler may answer at once, on many connections")
    func answeredWithinTheHandler() throws {
        let served = try ServedSocket { $0.answer($0.payload) }
        let peers = try (0..<10).map { _ in try served.connect() }
        for round in 0..<50 {
            for (index, peer) in peers.enumerated() {
                try peer.request(UInt32(2 * round + 1), payload: [UInt8(index)])
            }
        }
        served.turn()
        for (index, peer) in peers.enumerated() {
            let answers = try peer.answers()
            #expect(answers.count == 50 && answers.allSatisfy { $0.response.payload == [UInt8(index)] })
        }
    }

    @Test("Requests may arrive byte by byte, interleaved over connections")
    func requestsByteByByteAndInterleavedOverConnections() throws {
        let served = try ServedSocket()
        let peers = [try served.connect(), try served.connect()]
        let request = RawPeer.request(1, payload: [1, 2, 3])
        for byte in request {
            for peer in peers { try peer.send([byte]) }
            served.turn()
        }
        #expect(served.takeCalls().map(\.payload) == [[1, 2, 3], [1, 2, 3]])
    }

    @Test("A call dropped without an answer fails as internal")
    func droppedWithoutAnAnswer() throws {
        let served = try ServedSocket { _ in }
        let peer = try served.connect()
        try peer.request(1)
        served.turn()
        let answer = try peer.answer()
        #expect(answer.code == .internal && answer.message == "S/M: dropped without an answer")
    }

    @Test("A handler's unimplemented failure reaches the peer")
    func whatTheHandlerDoesNotKnow() throws {
        let served = try ServedSocket { $0.fail(Failure(.unimplemented, "\($0.service)/\($0.method)")) }
        let peer = try served.connect()
        try peer.request(1, "Events", service: "containerd.task.v3.Task")
        served.turn()
        #expect(try peer.answer().code == .unimplemented)
    }

    @Test("A failure with the code OK is sent as unknown")
    func aFailureIsNeverOK() throws {
        let served = try ServedSocket { $0.fail(Failure(.ok, "")) }
        let peer = try served.connect()
        try peer.request(1)
        served.turn()
        #expect(try peer.answer().code == .unknown)
    }

    @Test("The server's descriptor is readable while there is work")
    func theDescriptorTellsWhenThereIsWork() throws {
        let served = try ServedSocket()
        #expect(!served.isReady)
        let peer = try served.connect()
        #expect(served.isReady)
        served.turn()
        #expect(!served.isReady)
        try peer.request(1)
        #expect(served.isReady)
        served.turn()
        #expect(!served.isReady)
    }

    @Test("A call past its timeout fails, and a late answer is not sent")
    func timeouts() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        try peer.request(1, timeout: 2_000_000_000)
        try peer.request(3, timeout: 0)
        try peer.request(5, timeout: 1_000_000_000)
        let start = served.now
        #expect(served.turn() == start + .seconds(1))
        let calls = served.takeCalls()
        #expect(calls.map(\.timeout) == [.seconds(2), nil, .seconds(1)])
        served.now = start + .seconds(1)
        #expect(served.turn() == start + .seconds(2))
        let answer = try peer.answer()
        #expect(answer.stream == 5 && answer.code == .deadlineExceeded)
        #expect(calls.map(\.isGone) == [false, false, true])
        // Too late: nobody hears it, and nothing is sent.
        calls[2].answer([1])
        served.now = start + .seconds(3600)
        #expect(served.turn() == nil)
        #expect(try peer.answer().stream == 1)
        calls[1].answer([])
        #expect(try peer.answer().stream == 3)
    }

    @Test("A negative timeout fails at once, and the longest one is accepted")
    func timeoutsThatAreNone() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        try peer.request(1, timeout: -1)
        try peer.request(3, timeout: .max)
        served.turn()
        #expect(try peer.answer().code == .deadlineExceeded)
        #expect(served.takeCalls().count == 1)
    }

    @Test("A peer that hangs up ends its calls and its connection")
    func aPeerThatHangsUp() throws {
        let served = try ServedSocket()
        do {
            let peer = try served.connect()
            try peer.request(1)
            served.turn()
        }
        let call = try #require(served.takeCalls().first)
        #expect(!call.isGone)
        served.turn()
        #expect(call.isGone && served.server.connectionCount == 0)
        call.answer([1])
        #expect(!served.isReady)
    }

    @Test("A peer that hangs up within a frame leaves no call")
    func aPeerThatHangsUpAmidAFrame() throws {
        let served = try ServedSocket()
        do {
            let peer = try served.connect()
            try peer.send(Array(RawPeer.request(1, payload: [1, 2, 3]).dropLast()))
            served.turn()
        }
        served.turn()
        #expect(served.server.connectionCount == 0 && served.takeCalls().isEmpty)
    }

    @Test("A server that stops listening still serves the connections it has")
    func noFurtherConnections() throws {
        let served = try ServedSocket { $0.answer([]) }
        let peer = try served.connect()
        served.turn()
        served.server.stopListening()
        served.server.stopListening()
        #expect(throws: Errno.connectionRefused) { try served.connect() }
        try peer.request(1)
        served.turn()
        #expect(try peer.answer().code == .ok)
    }

    @Test("An abandoned server closes its connections and sends no more answers")
    func abandoned() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        try peer.request(1)
        served.turn()
        served.server.abandon()
        let call = try #require(served.takeCalls().first)
        call.answer([1])
        #expect(try peer.answers().isEmpty && peer.isAtEnd)
    }
}
