// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SandboxPlan
import Testing

@testable import AgentClient

/// An agent whose answers are written before they are asked for: ids are counted from 1.
struct AgentConnectionTests {
    let soon = Deadline(after: .seconds(5))

    func answer(_ id: UInt64, _ answer: Answer) throws -> [UInt8] {
        try AnswerMessage(id: id, answer: answer).frame()
    }

    func requests(_ bytes: [UInt8]) throws -> [RequestMessage] {
        var reader = FrameReader()
        reader.append(bytes)
        var messages: [RequestMessage] = []
        while let message = try reader.next() { messages.append(try RequestMessage(decoding: message)) }
        return messages
    }

    var welcome: Answer { .welcome(version: AgentProtocol.version) }

    @Test("A connection says hello, learns the kernel release and makes numbered calls")
    func greetsAndCalls() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(answer(1, welcome) + answer(2, .started(pid: 9)))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        #expect(try connection.call(.start(container: "c"), timeout: .seconds(5)) == .started(pid: 9))
        #expect(
            try requests(pair.second.read(upTo: 4096)) == [
                RequestMessage(id: 1, request: .hello(version: AgentProtocol.version)),
                RequestMessage(id: 2, request: .start(container: "c")),
            ])
    }

    @Test("Events and answers to other requests that arrive during a call are kept")
    func answersOfOthersAreKept() throws {
        let pair = try UnixSocket.pair()
        let exit = ProcessExit(status: .exited(code: 3))
        try pair.second.writeAll(
            answer(1, welcome) + answer(0, .event(container: "c", kind: "oom")) + answer(2, .exited(exit))
                + answer(3, .done))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        let wait = try connection.send(.wait(ProcessName(container: "c")))
        #expect(try connection.call(.start(container: "c"), timeout: .seconds(5)) == .done)
        #expect(try connection.receive() == AnswerMessage(id: 0, answer: .event(container: "c", kind: "oom")))
        #expect(try connection.receive() == AnswerMessage(id: wait, answer: .exited(exit)))
        #expect(try connection.receive() == nil)
    }

    @Test("A failure the agent answers is thrown by the call")
    func failureIsThrown() throws {
        let pair = try UnixSocket.pair()
        let failure = Failure(errno: 2, stage: "exec", message: "container does not exist")
        try pair.second.writeAll(answer(1, welcome) + answer(2, .failure(failure)))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        #expect(throws: AgentClientError.failed(failure)) {
            try connection.call(.pause(container: "c"), timeout: .seconds(5))
        }
    }

    @Test("A call without an answer times out")
    func silenceTimesOut() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(answer(1, welcome))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        #expect(throws: AgentClientError.timedOut(operation: "stats")) {
            try connection.call(.stats(container: "c"), timeout: .milliseconds(20))
        }
    }

    @Test("After the agent hangs up, kept events arrive and further calls fail as closed")
    func goneIsClosed() throws {
        let pair = try UnixSocket.pair()
        let event = Answer.event(container: "c", kind: "oom")
        try pair.second.writeAll(answer(1, welcome) + answer(0, event))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        try UnixSocket.shutdownWriting(pair.second.borrowed)
        #expect(try connection.receive() == AnswerMessage(id: 0, answer: event))
        #expect(throws: AgentClientError.closed(operation: "receive")) { try connection.receive() }
        #expect(throws: AgentClientError.closed(operation: "wait")) {
            try connection.call(.wait(ProcessName(container: "c")), timeout: nil)
        }
    }

    @Test("An agent of another protocol version is refused")
    func otherVersionIsRefused() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(answer(1, .welcome(version: 99)))
        #expect(throws: AgentClientError.version(ours: AgentProtocol.version, agents: 99)) {
            try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        }
    }

    @Test("A frame longer than the limit is refused as malformed")
    func garbageIsMalformed() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll([255, 255, 255, 255])
        #expect(throws: AgentClientError.malformed(.tooLong(byteCount: 0xffff_ffff, limit: Frame.limit))) {
            try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        }
    }

    @Test("A request larger than the socket's buffer is queued and sent by flush")
    func largeRequestsWaitForTheSocket() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(answer(1, welcome))
        let connection = try AgentConnection(socket: pair.first.duplicate(), deadline: soon)
        var process = ProcessPlan(arguments: ["x"])
        process.environment = [String(repeating: "e", count: 2 << 20)]
        let request = Request.exec(
            ProcessName(container: "c", exec: "e"), process: process, streams: StreamTokens(), isOwned: true)
        try connection.send(request)
        #expect(connection.wantsToWrite)
        var received: [UInt8] = []
        while connection.wantsToWrite {
            received += try pair.second.read(upTo: 65536)
            try connection.flush()
        }
        while let more = try Socket.receive(upTo: 65536, from: pair.second.borrowed) { received += more }
        #expect(try requests(received).last == RequestMessage(id: 2, request: request))
    }
}
