// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import Synchronization
import Testing
import TestSupport

@testable import AgentCore

/// The guest's resolver in a network namespace of the test's, a unix socket standing for the host's port.
@Suite("AgentCore: the resolver", .enabled(if: TestNamespace.isAvailable))
struct ResolverTests {
    private static let token = StreamToken.random()
    private static let query: [UInt8] =
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3] + Array("web".utf8) + [0, 0, 1, 0, 1]
    private static let failure: [UInt8] =
        [0x12, 0x34, 0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0, 3] + Array("web".utf8) + [0, 0, 1, 0, 1]
    private static var greeting: [UInt8] { SocketGreeting(token: token, uid: 0, gid: 0).bytes }

    private static func answer(count: Int) -> [UInt8] {
        var answer = query
        (answer[2], answer[3], answer[7]) = (0x81, 0x80, UInt8(count))
        for _ in 0..<count { answer += [0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4, 10, 0, 0, 2] }
        return answer
    }

    private static func framed(_ message: [UInt8]) -> [UInt8] {
        [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
    }

    /// The resolver, the host's port, and a client.
    private struct Place: ~Copyable {
        let loop: EventLoop
        let resolver: GuestResolver
        let port: FileDescriptor
        let client: FileDescriptor

        init(_ path: String, timeoutNanoseconds: Int64) throws(Errno) {
            let loop = try EventLoop()
            let port = try UnixSocket.listen(at: path, nonBlocking: true)
            let client = try InternetSocket.datagrams(at: InternetSocket.Address(host: 0, port: 0))
            resolver = try GuestResolver(
                loop, ResolverEntrance(GuestResolver.address), token: ResolverTests.token,
                timeoutNanoseconds: timeoutNanoseconds
            ) { () throws(Errno) in try UnixSocket.connect(to: path, nonBlocking: true) }
            self.loop = loop
            self.port = port
            self.client = client
        }

        func ask(_ message: [UInt8] = ResolverTests.query) throws(Errno) {
            try InternetSocket.send(message, to: GuestResolver.address, on: client.borrowed)
        }

        /// Turns until nothing happens for a while.
        func settle() throws(Errno) {
            while try loop.turn(milliseconds: 20) {}
        }

        /// The next connection, and what came by it.
        func accept() throws(Errno) -> (server: BorrowedDescriptor, bytes: [UInt8]) {
            try settle()
            let server = try UnixSocket.accept(port.borrowed, nonBlocking: true)
            try settle()
            let bytes = try Socket.receive(upTo: 1000, from: server.borrowed) ?? []
            return (server.release(), bytes)
        }

        /// All connections that wait.
        func takeAll(_ connections: inout DescriptorList) {
            while let server = try? UnixSocket.accept(port.borrowed, nonBlocking: true) { connections.append(server) }
        }

        /// What the client hears of the resolver.
        func heard() throws(Errno) -> [UInt8]? {
            try settle()
            guard let (bytes, sender) = try InternetSocket.receive(upTo: 10000, from: client.borrowed) else {
                return nil
            }
            return sender == GuestResolver.address ? bytes : []
        }
    }

    private func within<Value: Sendable>(
        timeoutNanoseconds: Int64 = 60_000_000_000,
        _ body: @escaping @Sendable (borrowing Place) throws(Errno) -> Value
    ) throws -> Value {
        let scratch = Scratch()
        let path = scratch.path + "/port"
        let namespace = try TestNamespace()
        try namespace.ip("link", "set", "lo", "up")
        return try namespace.inside { () throws(Errno) in
            let place = try Place(path, timeoutNanoseconds: timeoutNanoseconds)
            let value = try body(place)
            place.resolver.close()
            return value
        }
    }

    @Test("A datagram is asked over a connection of its own, and its answer comes back from where it was asked")
    func aDatagramIsAsked() throws {
        let seen = try within { (place) throws(Errno) -> [[UInt8]?] in
            try place.ask()
            let (server, bytes) = try place.accept()
            let connection = FileDescriptor(owning: server)
            let answer = Self.framed(Self.answer(count: 2))
            for piece in [answer[..<1], answer[1..<9], answer[9...]] {
                try connection.writeAll(Array(piece))
                try place.settle()
            }
            return [bytes, try place.heard()]
        }
        #expect(seen == [Self.greeting + Self.framed(Self.query), Self.answer(count: 2)])
    }

    @Test("An answer that is too long for a datagram comes cut, and says so")
    func aLongAnswerIsCut() throws {
        let heard = try within { (place) throws(Errno) -> [UInt8]? in
            try place.ask()
            let connection = FileDescriptor(owning: try place.accept().server)
            try connection.writeAll(Self.framed(Self.answer(count: 100)))
            return try place.heard()
        }
        let answer = try #require(heard)
        #expect(answer.count <= 512 && answer[2] & 2 != 0 && answer[7] == 30)
    }

    @Test("A query that gets no answer, or another's, gets SERVFAIL")
    func noAnswerIsTold() throws {
        let heard = try within { (place) throws(Errno) -> [[UInt8]?] in
            var heard: [[UInt8]?] = []
            var other = Self.answer(count: 1)
            other[1] = 0x35
            for answer in [[], [0, 3, 1, 2, 3], Self.framed(other), Self.framed(Self.query)] as [[UInt8]] {
                try place.ask()
                let connection = FileDescriptor(owning: try place.accept().server)
                if answer.isEmpty { try UnixSocket.shutdownWriting(connection.borrowed) }
                try connection.writeAll(answer)
                heard.append(try place.heard())
            }
            return heard
        }
        #expect(heard == [Self.failure, Self.failure, Self.failure, Self.failure])
    }

    @Test("A query that is not answered in time gets SERVFAIL, and its connection ends")
    func timePasses() throws {
        let seen = try within(timeoutNanoseconds: 100_000_000) { (place) throws(Errno) -> [[UInt8]?] in
            try place.ask()
            let connection = FileDescriptor(owning: try place.accept().server)
            _ = try place.loop.turn(milliseconds: 5000)
            let heard = try place.heard()
            return [heard, try Socket.receive(upTo: 1, from: connection.borrowed)]
        }
        #expect(seen == [Self.failure, []])
    }

    @Test("No more than a hundred queries are under way, and what is no query is not asked")
    func queriesAreBounded() throws {
        let seen = try within { (place) throws(Errno) -> [Int] in
            for message in [
                [], Self.failure, Array(Self.query[..<11]), Self.query + [UInt8](repeating: 0, count: 4096),
            ] {
                try place.ask(message)
            }
            try place.settle()
            var connections = DescriptorList()
            place.takeAll(&connections)
            var counts = [connections.count]
            for _ in 0..<150 {
                try place.ask()
                try place.settle()
                place.takeAll(&connections)
            }
            counts.append(connections.count)
            // One that has ended leaves its place.
            _ = connections.takeFirst()
            try place.settle()
            try place.ask()
            try place.settle()
            place.takeAll(&connections)
            counts.append(connections.count)
            return counts
        }
        #expect(seen == [0, 100, 100])
    }

    @Test("A connection is carried to the host's port, behind its greeting")
    func aConnectionIsCarried() throws {
        let seen = try within { (place) throws(Errno) -> [[UInt8]?] in
            let client = try InternetSocket.beginConnecting(to: GuestResolver.address)
            try place.settle()
            try client.writeAll([1, 2, 3])
            let (server, bytes) = try place.accept()
            let connection = FileDescriptor(owning: server)
            try connection.writeAll([4, 5])
            try place.settle()
            return [bytes, try Socket.receive(upTo: 10, from: client.borrowed)]
        }
        #expect(seen == [Self.greeting + [1, 2, 3], [4, 5]])
    }
}
