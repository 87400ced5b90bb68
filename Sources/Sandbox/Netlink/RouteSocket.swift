// SPDX-License-Identifier: Apache-2.0
public import Linux

/// A socket of rtnetlink(7): what the network namespace is made of that it was opened in, wherever its owner is now.
///
/// Interfaces are named by their index. Used by one thread at a time. After ``NetlinkError/malformed(operation:)``,
/// ``NetlinkError/timedOut(operation:operand:)`` and ``NetlinkError/socket(operation:_:)`` the socket is of no more use.
public final class RouteSocket {
    private let descriptor: FileDescriptor
    private let timeout: Duration
    private var sequence: UInt32 = 0
    /// The kernel fills 32 KiB at most with several messages; a single one can be larger.
    private var buffer = [UInt8](repeating: 0, count: 131072)

    /// How often a list is read anew that changed while it was read.
    static let attempts = 20

    /// A socket of the caller's network namespace.
    ///
    /// - Parameter timeout: for each request, its answer and the reading anew of what changed meanwhile.
    public convenience init(timeout: Duration = .seconds(10)) throws(NetlinkError) {
        let descriptor: FileDescriptor
        do throws(Errno) { descriptor = try NetlinkSocket.openRoute() } catch {
            throw .socket(operation: "open", error)
        }
        self.init(descriptor, timeout: timeout)
    }

    /// A socket that ``NetlinkSocket/openRoute()`` opened, in whatever namespace that was.
    public init(_ descriptor: consuming FileDescriptor, timeout: Duration = .seconds(10)) {
        self.descriptor = descriptor
        self.timeout = timeout
    }

    /// Makes a change.
    func change(_ request: Request) throws(NetlinkError) {
        if let failure = try change([request])[0] { throw failure }
    }

    /// Makes changes in their order by one call of the kernel: whoever is killed has made all of them, or none. Each is tried,
    /// whatever becomes of those before it.
    ///
    /// - Returns: why the kernel refused each; nil where it did not.
    func change(_ requests: [Request]) throws(NetlinkError) -> [NetlinkError?] {
        let deadline = Deadline(after: timeout)
        var message: [UInt8] = []
        var replies: [Reply<Never>] = []
        for request in requests {
            sequence &+= 1
            message += try request.bytes(sequence: sequence)
            replies.append(
                Reply(to: request, sequence: sequence, type: 0, limit: 0) { (_) throws(NetlinkError) in nil })
        }
        try send(message)
        var failures: [NetlinkError?] = []
        for (request, reply) in zip(requests, replies) {
            var reply = reply
            do throws(NetlinkError) {
                try read(&reply, to: request, until: deadline)
                failures.append(nil)
            } catch {
                guard case .refused = error else { throw error }
                failures.append(error)
            }
        }
        return failures
    }

    /// Asks for messages of `type`; nil of `decode` leaves one out.
    func ask<Value>(
        _ request: Request, type: UInt16, limit: Int, _ decode: @escaping (Fields) throws(NetlinkError) -> Value?
    ) throws(NetlinkError) -> [Value] {
        let deadline = Deadline(after: timeout)
        for _ in 0..<Self.attempts {
            sequence &+= 1
            try send(try request.bytes(sequence: sequence))
            var reply = Reply(to: request, sequence: sequence, type: type, limit: limit, decode)
            try read(&reply, to: request, until: deadline)
            if !reply.wasInterrupted { return reply.values }
        }
        throw .interrupted(operation: request.operation)
    }

    private func send(_ message: [UInt8]) throws(NetlinkError) {
        do throws(Errno) { try NetlinkSocket.send(message, on: descriptor.borrowed) } catch {
            throw .socket(operation: "send", error)
        }
    }

    /// Reads until the reply is whole.
    private func read<Value>(
        _ reply: inout Reply<Value>, to request: Request, until deadline: Deadline
    ) throws(NetlinkError) {
        var isComplete = false
        while !isComplete {
            let count = try receive(request, until: deadline)
            isComplete = try reply.take(buffer.prefix(count))
        }
    }

    /// The next datagram, in `buffer`.
    private func receive(_ request: Request, until deadline: Deadline) throws(NetlinkError) -> Int {
        do throws(Errno) {
            while true {
                if let count = try NetlinkSocket.receive(into: &buffer, from: descriptor.borrowed) { return count }
                let events = try Poll.wait(descriptor.borrowed, .readable, until: deadline)
                if events.isEmpty { break }
            }
        } catch {
            throw .socket(operation: "receive", error)
        }
        throw .timedOut(operation: request.operation, operand: request.operand)
    }
}
