// SPDX-License-Identifier: Apache-2.0
import Linux
import TaskProtocol
import Testing

@testable import TTRPC

/// The results of calls, in the order they came.
private final class Results {
    var all: [Result<[UInt8], Failure>] = []

    var codes: [StatusCode] {
        all.map {
            switch $0 {
            case .success: .ok
            case .failure(let failure): failure.code
            }
        }
    }
}

@Suite("TTRPC: client") struct ClientTests {
    private func call(
        _ client: Client, _ results: Results, _ payload: [UInt8] = [], timeout: Duration = .seconds(60)
    ) {
        client.call(service: "S", method: "M", payload: payload, timeout: timeout) { results.all.append($0) }
    }

    /// Both sides work until nothing more happens.
    private func turn(_ client: Client, _ served: ServedSocket? = nil) {
        for _ in 0..<1000 {
            served?.turn()
            _ = client.work(now: .now)
            if !isReadable(client.descriptor), served?.isReady != true { return }
        }
    }

    @Test("Answers in any order reach their calls")
    func callsAndAnswers() throws {
        let served = try ServedSocket()
        let client = try Client(path: served.path)
        let results = Results()
        for number in 0..<5 { call(client, results, [UInt8(number)]) }
        #expect(isReadable(client.descriptor))
        turn(client, served)
        let calls = served.takeCalls()
        #expect(calls.map(\.payload) == [[0], [1], [2], [3], [4]] && client.callCount == 5)
        #expect(calls[0].service == "S" && calls[0].method == "M" && calls[0].timeout == .seconds(60))
        #expect(served.server.connectionCount == 1)
        for call in calls.reversed() { call.answer(call.payload + [9]) }
        turn(client, served)
        #expect(results.all == [4, 3, 2, 1, 0].map { .success([$0, 9]) })
        #expect(client.callCount == 0 && !isReadable(client.descriptor))
    }

    @Test("A server's failure reaches the caller with its code and message")
    func whatTheServerSays() throws {
        let served = try ServedSocket { $0.fail(Failure(.notFound, "no such thing")) }
        let client = try Client(path: served.path)
        let results = Results()
        call(client, results)
        turn(client, served)
        #expect(results.all == [.failure(Failure(.notFound, "no such thing"))])
    }

    @Test("A call without a server fails as unavailable, and a later call connects")
    func noServerAndThenOne() throws {
        let path = ServedSocket.freshPath()
        let client = try Client(path: path)
        let results = Results()
        call(client, results)
        #expect(results.all.isEmpty)
        turn(client)
        #expect(results.codes == [.unavailable])
        let server = try Server(listener: UnixSocket.listen(at: path)) { $0.answer([1]) }
        defer { ServedSocket.remove(path) }
        call(client, results)
        for _ in 0..<10 {
            _ = server.work(now: .now)
            _ = client.work(now: .now)
        }
        #expect(results.codes == [.unavailable, .ok])
    }

    @Test("A lost connection fails its calls, and the next call connects again")
    func theConnectionIsLostAndMadeAnew() throws {
        let served = try ServedSocket()
        let client = try Client(path: served.path)
        let results = Results()
        call(client, results)
        call(client, results)
        turn(client, served)
        served.server.abandon()
        turn(client)
        #expect(results.codes == [.unavailable, .unavailable])
        ServedSocket.remove(served.path)
        let server = try Server(listener: UnixSocket.listen(at: served.path)) { $0.answer([]) }
        call(client, results)
        for _ in 0..<10 {
            _ = server.work(now: .now)
            _ = client.work(now: .now)
        }
        #expect(results.codes.last == .ok)
    }

    @Test("Disconnecting fails the calls under way, and the next call connects again")
    func disconnected() throws {
        let served = try ServedSocket()
        let client = try Client(path: served.path)
        let results = Results()
        call(client, results)
        turn(client, served)
        client.disconnect()
        turn(client, served)
        #expect(results.codes == [.unavailable] && served.server.connectionCount == 0)
        call(client, results)
        turn(client, served)
        #expect(served.server.connectionCount == 1)
    }

    @Test("A call fails at its deadline, and a late answer is ignored")
    func timeouts() throws {
        let served = try ServedSocket()
        let client = try Client(path: served.path)
        let results = Results()
        call(client, results, timeout: .seconds(1))
        call(client, results, timeout: .zero)
        call(client, results, timeout: .seconds(-1))
        turn(client, served)
        #expect(results.codes == [.deadlineExceeded, .deadlineExceeded])
        let deadline = try #require(client.work(now: .now))
        #expect(client.work(now: deadline - .milliseconds(1)) == deadline)
        #expect(client.work(now: deadline) == nil)
        #expect(results.codes.count == 3 && results.codes.last == .deadlineExceeded)
        // Its answer, which comes too late, ends nothing.
        served.takeCalls().first?.answer([1])
        turn(client, served)
        #expect(results.codes.count == 3)
    }

    @Test("A request too long for a frame fails its call")
    func tooLongForAFrame() throws {
        let served = try ServedSocket()
        let client = try Client(path: served.path)
        let results = Results()
        call(client, results, [UInt8](repeating: 1, count: Frame.limit))
        turn(client, served)
        #expect(results.codes == [.resourceExhausted] && client.callCount == 0)
    }

    @Test("A completion may make the next call")
    func calledAgainByWhoIsTold() throws {
        let served = try ServedSocket { $0.answer([]) }
        let client = try Client(path: served.path)
        var count = 0
        func again(_ result: Result<[UInt8], Failure>) {
            count += 1
            if count < 20 {
                client.call(service: "S", method: "M", payload: [], timeout: .seconds(1), again)
            }
        }
        client.call(service: "S", method: "M", payload: [], timeout: .seconds(1), again)
        turn(client, served)
        #expect(count == 20)
    }

    /// A hostile server: what it sends ends the calls it names, or the connection.
    @Test("A hostile server fails only the calls it names, or loses its connection")
    func hostileServer() throws {
        let path = ServedSocket.freshPath()
        let listener = try UnixSocket.listen(at: path)
        defer { ServedSocket.remove(path) }
        let client = try Client(path: path)
        let results = Results()
        call(client, results)
        call(client, results)
        call(client, results)
        let peer = RawPeer(owning: try UnixSocket.accept(listener.borrowed))
        #expect(try peer.frames().map(\.header.stream) == [1, 3, 5])
        // Streams of nobody, data, requests: passed over.
        try peer.send(Frame(stream: 99, .response, []).encoded + Frame(stream: 1, .data, [1]).encoded)
        try peer.send(Frame(stream: 1, .request, []).encoded + Frame(stream: 2, .response, []).encoded)
        turn(client)
        #expect(results.all.isEmpty)
        // No status is success; what is no answer is not; and one that is too long.
        try peer.send(Frame(stream: 3, .response, []).encoded + Frame(stream: 3, .response, []).encoded)
        try peer.send(Frame(stream: 1, .response, [0xff]).encoded)
        try peer.send([0, 0x40, 0, 1, 0, 0, 0, 5, 2, 0])
        turn(client)
        #expect(results.codes == [.ok, .internal, .resourceExhausted])
        call(client, results)
        try peer.send([1])
        var left = Frame.limit
        while left > 0 {
            left -= try peer.send([UInt8](repeating: 1, count: min(left, 65536)))
            turn(client)
        }
        try peer.send([0xff] + [UInt8](repeating: 0, count: 9))
        turn(client)
        #expect(results.codes.count == 4 && results.codes.last == .unavailable)
    }

    /// Its requests are kept, bounded, while the server does not read.
    @Test("Requests queue up to a bound while the server does not read")
    func aServerThatDoesNotRead() throws {
        let path = ServedSocket.freshPath()
        let listener = try UnixSocket.listen(at: path)
        defer { ServedSocket.remove(path) }
        let client = try Client(path: path)
        let results = Results()
        for _ in 0..<20 { call(client, results, [UInt8](repeating: 1, count: 1 << 20)) }
        let peer = RawPeer(owning: try UnixSocket.accept(listener.borrowed))
        turn(client)
        #expect(results.codes.contains(.unavailable))
        #expect(client.callCount <= 10)
        withExtendedLifetime(peer) {}
    }
}
