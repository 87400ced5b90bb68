// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux

/// A query that came as a datagram, on its way over a connection of its own: there each message has its length before it, in two
/// bytes, RFC 1035 §4.2.2.
final class ResolverQuery {
    /// The query.
    let message: [UInt8]
    let sender: InternetSocket.Address
    /// On the clock of ``SystemTime/monotonicNanoseconds()``.
    let deadlineNanoseconds: Int64

    private let loop: EventLoop
    private let socket: FileDescriptor
    private let whenAnswered: (ResolverQuery, [UInt8]?) -> Void
    private var watch: EventLoop.Watch?
    private var outgoing: [UInt8]
    private var sentCount = 0
    private var incoming: [UInt8] = []

    /// - Parameters:
    ///   - socket: is being connected to the port that takes the greeting, and then queries.
    ///   - whenAnswered: called from within the loop, with nil where there is no answer.
    init(
        _ loop: EventLoop, _ message: [UInt8], of sender: InternetSocket.Address, until deadlineNanoseconds: Int64,
        over socket: consuming FileDescriptor, _ greeting: SocketGreeting,
        whenAnswered: @escaping (ResolverQuery, [UInt8]?) -> Void
    ) throws(Errno) {
        self.loop = loop
        self.message = message
        self.sender = sender
        self.deadlineNanoseconds = deadlineNanoseconds
        self.socket = socket
        self.whenAnswered = whenAnswered
        outgoing = greeting.bytes + [UInt8(message.count >> 8), UInt8(message.count & 0xff)] + message
        watch = try loop.watch(self.socket.borrowed, .writable) { [unowned self] _ in send() }
    }

    func close() {
        if let watch { loop.ignore(watch) }
        watch = nil
    }

    private func send() {
        do throws(Errno) {
            if sentCount == 0, let error = try Socket.error(of: socket.borrowed) { throw error }
            sentCount += try Socket.send(outgoing, from: sentCount, on: socket.borrowed)
            guard sentCount == outgoing.count, let writing = watch else { return }
            outgoing = []
            loop.ignore(writing)
            watch = nil
            watch = try loop.watch(socket.borrowed, .readable) { [unowned self] _ in receive() }
        } catch {
            whenAnswered(self, nil)
        }
    }

    private func receive() {
        do throws(Errno) {
            // First the length, then the message, and nothing behind it.
            let wanted = incoming.count < 2 ? 2 : 2 + (Int(incoming[0]) << 8 | Int(incoming[1]))
            guard let bytes = try Socket.receive(upTo: wanted - incoming.count, from: socket.borrowed) else { return }
            incoming += bytes
            guard !bytes.isEmpty else { return whenAnswered(self, nil) }
            guard incoming.count >= 2 else { return }
            let byteCount = Int(incoming[0]) << 8 | Int(incoming[1])
            // Only what answers this query does.
            guard byteCount >= 12 else { return whenAnswered(self, nil) }
            guard incoming.count == 2 + byteCount else { return }
            let answer = Array(incoming[2...])
            let isAnswer = answer[..<2] == message[..<2] && answer[2] & 0x80 != 0
            whenAnswered(self, isAnswer ? answer : nil)
        } catch {
            whenAnswered(self, nil)
        }
    }
}
