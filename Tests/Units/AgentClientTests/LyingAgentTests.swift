// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SandboxPlan
import Testing

@testable import AgentClient

/// An agent that answers anything, never, too much, or without a request.
struct LyingAgentTests {
    let soon = Deadline(after: .seconds(20))

    func answer(_ id: UInt64, _ answer: Answer) throws -> [UInt8] {
        try AnswerMessage(id: id, answer: answer).frame()
    }

    var welcome: Answer { .welcome(version: AgentProtocol.version) }

    /// Writes `bytes` again and again, after `first`, in a thread of its own, until the other side hangs up.
    private func flood(_ socket: consuming FileDescriptor, first: [UInt8], _ bytes: [UInt8], pause: Int64 = 0) throws {
        let number = socket.release()
        _ = try Thread(named: "flood") {
            let socket = FileDescriptor(owning: number)
            var next = first
            while true {
                var start = 0
                while start < next.count {
                    guard let count = try? Socket.send(next, from: start, on: socket.borrowed) else { return }
                    if count == 0 { SystemTime.sleep(milliseconds: 1) }
                    start += count
                }
                next = bytes
                if pause > 0 { SystemTime.sleep(milliseconds: pause) }
            }
        }
    }

    private func failure(_ body: () throws(AgentClientError) -> Void) -> AgentClientError? {
        do throws(AgentClientError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test("Endless answers to no request fail the call as flooded")
    func answersNobodyAskedForAreHungUpOn() throws {
        let pair = try UnixSocket.pair()
        let stray = try answer(9999, .done)
        try flood(pair.second.duplicate(), first: try answer(1, welcome), stray)
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        #expect(
            failure { () throws(AgentClientError) in try connection.call(.stats(container: "c"), until: soon) }
                == .flooded(operation: "stats"))
    }

    /// Events that a limit by number alone would let pass: so many, and then the answer.
    @Test("Sixteen events of a megabyte fail the call as flooded, and fifteen do not", arguments: [15, 16])
    func largeOnesSooner(count: Int) throws {
        let pair = try UnixSocket.pair()
        let event = try answer(0, .event(container: "c", kind: String(repeating: "x", count: 1 << 20)))
        var bytes = try answer(1, welcome)
        for _ in 0..<count { bytes += event }
        bytes += try answer(2, .statistics([]))
        try flood(pair.second.duplicate(), first: bytes, try answer(9999, .done))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        let error = failure { () throws(AgentClientError) in
            try connection.call(.stats(container: "c"), until: soon)
        }
        #expect(error == (count == 16 ? .flooded(operation: "stats") : nil))
    }

    /// A byte now and then is no reason to wait longer.
    @Test("A deadline holds while single bytes keep arriving")
    func aDeadlineHoldsWhoeverTalks() throws {
        let pair = try UnixSocket.pair()
        try flood(pair.second.duplicate(), first: [0, 0, 1, 0], [0], pause: 20)
        let begin = SystemTime.monotonicNanoseconds()
        let deadline = Deadline(after: .milliseconds(300))
        #expect(
            failure { () throws(AgentClientError) in
                _ = try AgentConnection(socket: (try? pair.first.duplicate())!, deadline: deadline)
            } == .timedOut(operation: "hello"))
        #expect(SystemTime.monotonicNanoseconds() - begin < 5_000_000_000)
    }

    @Test("No more events are kept than the limit allows")
    func fewOfTheEventsAreKept() throws {
        let pair = try UnixSocket.pair()
        var bytes = try answer(1, welcome)
        for _ in 0..<1000 { bytes += try answer(0, .event(container: "c", kind: "oom")) }
        bytes += try answer(2, .done)
        try pair.second.writeAll(bytes)
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        try connection.call(.start(container: "c"), until: soon)
        var count = 0
        while try connection.receive() != nil { count += 1 }
        #expect(count == AgentConnection.eventLimit)
    }

    @Test("Answers with an unknown or already answered id are dropped")
    func anAnswerIsTakenOnce() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(
            answer(1, welcome) + answer(7, .done) + answer(2, .started(pid: 4)) + answer(2, .started(pid: 5)))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        #expect(try connection.call(.start(container: "c"), until: soon) == .started(pid: 4))
        #expect(try connection.receive() == nil)
    }

    @Test("Frames that are too long, empty or undecodable fail as malformed")
    func framesThatLie() throws {
        for bytes: [UInt8] in [[255, 255, 255, 255], [0, 0, 0, 0], [2, 0, 0, 0, 255, 255]] {
            let pair = try UnixSocket.pair()
            try pair.second.writeAll(bytes)
            let error = failure { () throws(AgentClientError) in
                _ = try AgentConnection(socket: (try? pair.first.duplicate())!, deadline: soon)
            }
            guard case .malformed = error else {
                Issue.record("\(bytes): \(String(describing: error))")
                continue
            }
        }
    }
}
