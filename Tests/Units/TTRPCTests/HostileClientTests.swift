// SPDX-License-Identifier: Apache-2.0
import Linux
import TaskProtocol
import Testing

@testable import TTRPC

/// What no honest client sends: answered with the right code where its stream is known, and nothing is held.
struct HostileClientTests {
    func header(_ count: UInt32, stream: UInt32, kind: UInt8, flags: UInt8 = 0) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> UInt32($0)) }
            + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: stream >> UInt32($0)) } + [kind, flags]
    }

    @Test("Stream numbers must be odd and increasing")
    func streamNumbers() throws {
        let served = try ServedSocket { $0.answer([]) }
        let peer = try served.connect()
        for (stream, code) in [
            (5, StatusCode.ok), (5, .invalidArgument), (3, .invalidArgument), (8, .invalidArgument),
            (0, .invalidArgument), (7, .ok), (UInt32.max, .ok), (9, .invalidArgument),
        ] as [(UInt32, StatusCode)] {
            try peer.request(stream)
            served.turn()
            let answer = try peer.answer()
            #expect(answer.stream == stream && answer.code == code)
        }
    }

    /// A stream that waits for its answer is not ended by another of its number.
    @Test("A repeated stream number is refused and leaves the first call alone")
    func aStreamTwiceAtOnce() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        try peer.request(1)
        try peer.request(1)
        served.turn()
        #expect(try peer.answer().code == .invalidArgument)
        let call = try #require(served.takeCalls().first)
        call.answer([4])
        #expect(try peer.answer().payload == [4])
    }

    @Test("Streaming calls are refused, and stray frames are ignored")
    func streamingIsRefused() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        for (stream, flags) in [(1, 1), (3, 2), (5, 0x80)] as [(UInt32, UInt8)] {
            try peer.send(header(0, stream: stream, kind: 1, flags: flags))
            served.turn()
            #expect(try peer.answer().code == .unimplemented)
        }
        // Data of the refused, data of nobody, an answer to nothing, kinds there are not.
        try peer.send(header(2, stream: 3, kind: 3) + [1, 2] + header(0, stream: 3, kind: 3, flags: 1))
        try peer.send(header(1, stream: 99, kind: 3) + [1] + header(0, stream: 7, kind: 2))
        try peer.send(header(1, stream: 7, kind: 0) + [1] + header(0, stream: 7, kind: 255))
        try peer.request(7)
        served.turn()
        #expect(try peer.answers().isEmpty)
        #expect(served.takeCalls().count == 1)
    }

    @Test("A request over the limit is refused, and the connection goes on")
    func tooLong() throws {
        let served = try ServedSocket { $0.answer([]) }
        let peer = try served.connect()
        try peer.send(header(UInt32(Frame.limit) + 1, stream: 1, kind: 1))
        served.turn()
        let answer = try peer.answer()
        #expect(answer.stream == 1 && answer.code == .resourceExhausted)
        #expect(answer.message == "message of 4194305 bytes is longer than 4194304")
        var left = Frame.limit + 1
        while left > 0 {
            left -= try peer.send([UInt8](repeating: 1, count: min(left, 65536)))
            served.turn()
        }
        try peer.request(3)
        served.turn()
        #expect(try peer.answer().stream == 3)
        #expect(!served.isReady)
    }

    @Test("A malformed header ends the connection and its calls")
    func malformedHeader() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        try peer.request(1)
        try peer.send(header(1 << 24, stream: 3, kind: 1))
        served.turn()
        #expect(try peer.answers().isEmpty && peer.isAtEnd)
        #expect(served.server.connectionCount == 0)
        let call = try #require(served.takeCalls().first)
        #expect(call.isGone)
    }

    @Test("A request that does not decode is refused, and an empty one has no names")
    func requestsThatAreNone() throws {
        let served = try ServedSocket()
        let peer = try served.connect()
        try peer.send(header(2, stream: 1, kind: 1) + [0xff, 0xff])
        try peer.send(header(3, stream: 3, kind: 1) + [10, 1, 0])
        try peer.send(header(3, stream: 5, kind: 1) + [18, 1, 0xff])
        served.turn()
        let answers = try peer.answers()
        #expect(answers.map { $0.response.status?.code } == [3, 3, 3])
        #expect(answers[1].response.status?.message == "request: request.service: contains a NUL")
        // Nothing at all is a request without names.
        try peer.send(header(0, stream: 7, kind: 1))
        served.turn()
        #expect(served.takeCalls().first?.service == "")
    }

    @Test("A connection that stays within a frame for ten seconds is closed")
    func halfAFrame() throws {
        let served = try ServedSocket()
        let peers = [try served.connect(), try served.connect(), try served.connect()]
        try peers[0].send([0, 0])
        try peers[1].send(header(UInt32(Frame.limit) + 1, stream: 1, kind: 1))
        let start = served.now
        #expect(served.turn() == start + .seconds(10))
        served.now = start + .seconds(9)
        try peers[0].send([0])
        served.turn()
        #expect(served.server.connectionCount == 3)
        served.now = start + .seconds(10)
        #expect(served.turn() == nil)
        // One that has sent nothing may be silent for ever.
        #expect(served.server.connectionCount == 1)
        _ = try peers[0].answers()
        #expect(peers[0].isAtEnd)
    }

    @Test("Answers wait for a slow reader, and all arrive")
    func aReaderThatIsSlow() throws {
        let served = try ServedSocket { $0.answer([UInt8](repeating: 1, count: 1 << 20)) }
        let peer = try served.connect()
        for stream in 0..<5 { try peer.request(UInt32(2 * stream + 1)) }
        served.turn()
        #expect(served.server.hasPending)
        var count = 0
        for _ in 0..<1000 where count < 5 {
            count += try peer.answers().count
            served.turn()
        }
        #expect(count == 5 && !served.server.hasPending && !served.isReady)
    }

    @Test("A connection whose unread answers pile up is closed")
    func aReaderThatDoesNotRead() throws {
        let served = try ServedSocket { $0.answer([UInt8](repeating: 1, count: 1 << 20)) }
        let peer = try served.connect()
        for stream in 0..<20 { try peer.request(UInt32(2 * stream + 1)) }
        served.turn()
        #expect(served.server.connectionCount == 0 && !served.server.hasPending)
    }

    /// Small answers that nobody reads are bounded too.
    @Test("A connection whose unread refusals pile up is closed")
    func refusalsThatNobodyReads() throws {
        var limits = ServerLimits()
        limits.queuedByteCount = 1 << 20
        let served = try ServedSocket(limits: limits)
        let peer = try served.connect()
        let frames = [[UInt8]](repeating: header(0, stream: 2, kind: 1), count: 1000).flatMap { $0 }
        do throws(Errno) {
            for _ in 0..<100 where served.server.connectionCount > 0 || served.isReady {
                var sent = 0
                while sent < frames.count {
                    let count = try Socket.send(frames, from: sent, on: peer.socket.borrowed)
                    sent += count
                    served.turn()
                    if count == 0, served.server.connectionCount == 0 { break }
                }
            }
        } catch {
            #expect(error == .brokenPipe || error == .connectionReset)
        }
        #expect(served.server.connectionCount == 0)
    }

    @Test("Calls beyond a connection's limit are refused until one is answered")
    func tooManyCalls() throws {
        var limits = ServerLimits()
        limits.callsPerConnection = 3
        let served = try ServedSocket(limits: limits)
        let peer = try served.connect()
        for stream in 0..<4 { try peer.request(UInt32(2 * stream + 1)) }
        served.turn()
        let answer = try peer.answer()
        #expect(answer.stream == 7 && answer.code == .resourceExhausted)
        served.takeCalls()[0].answer([])
        _ = try peer.answers()
        try peer.request(9)
        served.turn()
        #expect(served.takeCalls().count == 1)
    }

    @Test("Payload bytes beyond a connection's limit are refused until a call is answered")
    func tooManyBytesInCalls() throws {
        var limits = ServerLimits()
        limits.heldByteCount = 1000
        let served = try ServedSocket(limits: limits)
        let peer = try served.connect()
        try peer.request(1, payload: [UInt8](repeating: 1, count: 900))
        try peer.request(3, payload: [UInt8](repeating: 1, count: 900))
        served.turn()
        #expect(try peer.answer().code == .resourceExhausted)
        served.takeCalls()[0].answer([])
        _ = try peer.answers()
        try peer.request(5, payload: [UInt8](repeating: 1, count: 900))
        served.turn()
        #expect(served.takeCalls().count == 1)
    }

    @Test("Connections beyond the limit are closed, and the others are served")
    func tooManyConnections() throws {
        var limits = ServerLimits()
        limits.connections = 2
        let served = try ServedSocket(limits: limits) { $0.answer([]) }
        let peers = try (0..<3).map { _ in try served.connect() }
        served.turn()
        #expect(served.server.connectionCount == 2)
        _ = try peers[2].answers()
        #expect(peers[2].isAtEnd)
        try peers[0].request(1)
        served.turn()
        #expect(try peers[0].answer().code == .ok)
    }

    @Test("An answer too long for a frame becomes a failure")
    func anAnswerThatIsTooLong() throws {
        let served = try ServedSocket { $0.answer([UInt8](repeating: 1, count: Frame.limit)) }
        let peer = try served.connect()
        try peer.request(1)
        served.turn()
        #expect(try peer.answer().code == .resourceExhausted)
    }
}
