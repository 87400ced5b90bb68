// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import Protobuf

/// Stream connections that have said their token and wait for a process to take them.
final class StreamTable {
    /// Beyond so many the oldest is dropped: no process took it.
    private static let limit = 512
    /// How many may be saying hello at once; how long each takes is not limited.
    private static let greetingLimit = 128

    private final class Waiting {
        let socket: FileDescriptor
        init(_ socket: consuming FileDescriptor) { self.socket = socket }
    }

    private final class Greeting {
        let socket: FileDescriptor
        var bytes: [UInt8] = []
        var watch: EventLoop.Watch?
        init(_ socket: consuming FileDescriptor) { self.socket = socket }
    }

    private let loop: EventLoop
    private var waiting: [StreamToken: Waiting] = [:]
    private var order: [StreamToken] = []
    private var greetings: [ObjectIdentifier: Greeting] = [:]

    init(_ loop: EventLoop) {
        self.loop = loop
    }

    /// Whether `token` waits to be taken.
    func has(_ token: StreamToken) -> Bool { waiting[token] != nil }

    /// A descriptor on the connection of `token`, which can be taken once more as long as ``forget(_:)`` was
    /// not called: for one that is both input and output.
    func open(_ token: StreamToken) throws(AgentError) -> FileDescriptor {
        guard let stream = waiting[token] else { throw .noSuchStream }
        return try doing("stream", try stream.socket.duplicate())
    }

    func forget(_ token: StreamToken) {
        waiting[token] = nil
        order.removeAll { $0 == token }
    }

    /// Takes a fresh connection to the stream port.
    func accept(_ socket: consuming FileDescriptor) {
        guard greetings.count < Self.greetingLimit else { return }
        let greeting = Greeting(socket)
        greeting.watch = try? loop.watch(greeting.socket.borrowed, .readable) { [weak self, unowned greeting] _ in
            self?.receive(greeting)
        }
        if greeting.watch != nil { greetings[ObjectIdentifier(greeting)] = greeting }
    }

    private func receive(_ greeting: Greeting) {
        var reader = FrameReader(limit: StreamHandshake.helloLimit)
        do {
            // Never a byte more than the hello: what follows is the stream's.
            let wanted = greeting.bytes.count < 4 ? 4 - greeting.bytes.count : try missing(greeting.bytes)
            guard let bytes = try Socket.receive(upTo: wanted, from: greeting.socket.borrowed) else { return }
            if bytes.isEmpty { return drop(greeting) }
            greeting.bytes += bytes
            reader.append(greeting.bytes)
            guard let message = try reader.next() else { return }
            let token = try StreamHandshake.token(decoding: message)
            let welcome = StreamHandshake.welcome
            guard try Socket.send(welcome, from: 0, on: greeting.socket.borrowed) == welcome.count else {
                return drop(greeting)
            }
            drop(greeting)
            guard waiting[token] == nil else { return }
            waiting[token] = Waiting(try greeting.socket.duplicate())
            order.append(token)
            if order.count > Self.limit { forget(order[0]) }
        } catch {
            drop(greeting)
        }
    }

    /// How many bytes of the hello are still to come.
    private func missing(_ bytes: [UInt8]) throws(MessageError) -> Int {
        let count = bytes[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard count <= StreamHandshake.helloLimit else {
            throw .tooLong(byteCount: count, limit: StreamHandshake.helloLimit)
        }
        // An empty hello names nothing; reading one byte of it would be the stream's.
        guard count > 0 else { throw .missing(field: "stream_hello.token") }
        return count + 4 - bytes.count
    }

    private func drop(_ greeting: Greeting) {
        if let watch = greeting.watch { loop.ignore(watch) }
        greeting.watch = nil
        greetings[ObjectIdentifier(greeting)] = nil
    }
}
