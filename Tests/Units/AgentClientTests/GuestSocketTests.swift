// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import Testing

@testable import AgentClient

/// The handshakes of a connection to a guest's port, against a listener that has answered already.
struct GuestSocketTests {
    let soon = Deadline(after: .seconds(5))

    /// A path for a socket of this test alone.
    func socketPath() -> String { "/tmp/fc-agent-client-\(getpid())-\(UInt64.random(in: 0 ... .max))" }

    @Test("Connecting to a path that does not exist names the path and the error")
    func refusedWhereNobodyListens() {
        #expect(throws: AgentClientError.connect(path: "/nowhere/at.all", .noSuchFile)) {
            _ = try GuestSocket.connect(to: "/nowhere/at.all", port: 1, deadline: soon)
        }
    }

    @Test("Connecting times out when the listener never answers")
    func silenceTimesOut() throws {
        let path = socketPath()
        let listener = try UnixSocket.listen(at: path)
        defer { unsafe unlink(path) }
        #expect(throws: AgentClientError.timedOut(operation: "connect")) {
            _ = try GuestSocket.connect(to: path, port: 1, deadline: Deadline(after: .milliseconds(20)))
        }
        _ = listener.borrowed
    }

    @Test("The stream handshake sends the token and reads only the welcome")
    func streamHandshake() throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(StreamHandshake.welcome + [1, 2, 3])
        let token = StreamToken.random()
        try GuestStream.greet(token, on: pair.first.borrowed, deadline: soon)
        #expect(try pair.first.read(upTo: 10) == [1, 2, 3])
        #expect(try pair.second.read(upTo: 100) == StreamHandshake.hello(token))
    }

    @Test("A stream that ends before the welcome fails as closed")
    func streamRefused() throws {
        let pair = try UnixSocket.pair()
        try UnixSocket.shutdownWriting(pair.second.borrowed)
        #expect(throws: AgentClientError.closed(operation: "open stream")) {
            try GuestStream.greet(.random(), on: pair.first.borrowed, deadline: soon)
        }
    }

    @Test(
        "Only a complete OK line connects, and the bytes after it stay in the socket",
        arguments: [
            ("OK 1073741824\n", true), ("NO\n", false), ("", false), (String(repeating: "O", count: 80), false),
        ])
    func reply(_ text: String, _ accepted: Bool) throws {
        let pair = try UnixSocket.pair()
        try pair.second.writeAll(Array((text + (accepted ? "rest" : "")).utf8))
        try UnixSocket.shutdownWriting(pair.second.borrowed)
        if accepted {
            try GuestSocket.shakeHands(on: pair.first.borrowed, port: 1024, deadline: soon)
            #expect(try pair.first.read(upTo: 10) == Array("rest".utf8))
            #expect(try pair.second.read(upTo: 100) == Array("CONNECT 1024\n".utf8))
        } else {
            #expect(throws: AgentClientError.self) {
                try GuestSocket.shakeHands(on: pair.first.borrowed, port: 1024, deadline: soon)
            }
        }
    }
}
