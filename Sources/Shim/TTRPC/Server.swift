// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux

/// What clients of a server may take.
public struct ServerLimits: Sendable {
    /// How many clients may be connected at a time.
    public var connections = 64
    /// How many calls of a connection may wait for an answer.
    public var callsPerConnection = 1024
    /// The most bytes of requests of a connection that wait for an answer.
    public var heldByteCount = 8 << 20
    /// The most bytes of answers that wait for a client to read; beyond, its connection is closed.
    public var queuedByteCount = 8 << 20
    /// How long a frame may take from its first byte to its last; beyond, its connection is closed.
    public var frameTime: Duration = .seconds(10)

    /// The values above.
    public init() {}
}

/// Serves ttrpc's calls of one answer to every client of a socket, all on the thread that calls ``work(now:)``.
public final class Server {
    private static let listenerToken: UInt64 = 0
    /// How long no connection is taken when the process has no descriptor or memory for it.
    private static let pause: Duration = .milliseconds(100)

    private let events: EpollSet
    private let limits: ServerLimits
    private let handler: (Call) -> Void
    private let borrowedListener: BorrowedDescriptor
    private var listener: FileDescriptor?
    private var isListening = true
    private var pausedUntil: ContinuousClock.Instant?
    private var connections: [UInt64: ServerConnection] = [:]
    private var nextToken: UInt64 = 1

    /// - Parameters:
    ///   - listener: a listening stream socket; it is made non-blocking.
    ///   - handler: takes each call, and answers it then or later. Says `unimplemented` where it knows no such method.
    public init(
        listener: consuming FileDescriptor, limits: ServerLimits = ServerLimits(),
        handler: @escaping (Call) -> Void
    ) throws(Errno) {
        let events = try EpollSet()
        let borrowed = listener.borrowed
        try listener.setNonBlocking(true)
        try events.epoll.add(borrowed, .readable, token: Self.listenerToken)
        self.events = events
        self.limits = limits
        self.handler = handler
        borrowedListener = borrowed
        self.listener = consume listener
    }

    /// An epoll set: readable when ``work(now:)`` has something to do.
    public var descriptor: BorrowedDescriptor { events.epoll.borrowed }

    /// Whether answers wait for their clients to read.
    public var hasPending: Bool { connections.values.contains { $0.hasPending } }

    /// How many clients are connected.
    public var connectionCount: Int { connections.values.count { !$0.isClosed } }

    /// Takes what has come, sends what can be sent, ends what has waited too long; never blocks.
    ///
    /// - Returns: when to call again, if the descriptor is not readable before.
    public func work(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        // The set is ours and open, and EINTR is no event: nothing can fail here.
        for event in (try? events.epoll.wait(milliseconds: 0)) ?? [] {
            if event.token == Self.listenerToken {
                accept(now: now)
            } else {
                connections[event.token]?.work(event.events, now: now)
            }
        }
        if let until = pausedUntil, now >= until { resume() }
        var next = pausedUntil
        for (token, connection) in connections {
            if let deadline = connection.expire(now: now) { next = min(next ?? deadline, deadline) }
            if connection.isClosed { connections[token] = nil }
        }
        return next
    }

    /// No further connections. Those there are go on.
    public func stopListening() {
        guard isListening else { return }
        if pausedUntil == nil { try? events.epoll.remove(borrowedListener) }
        isListening = false
        pausedUntil = nil
        listener = nil
    }

    /// In a forked copy of this process: closes its copies of all sockets. The process it was copied from goes on
    /// with them, and its peers see when it ends. Nothing of the server may be used afterwards.
    public func abandon() {
        for connection in connections.values { connection.abandon() }
        isListening = false
        listener = nil
    }

    private func accept(now: ContinuousClock.Instant) {
        while isListening, pausedUntil == nil {
            do throws(Errno) {
                let socket = try UnixSocket.accept(borrowedListener, nonBlocking: true)
                // Closed at once where there are too many.
                guard connections.count < limits.connections else { continue }
                let channel = try FrameChannel(
                    socket, in: events, token: nextToken, queueLimit: limits.queuedByteCount)
                connections[nextToken] = ServerConnection(channel, limits, handler)
                nextToken += 1
            } catch .wouldBlock {
                return
            } catch .connectionAborted {
                continue
            } catch {
                // No descriptor or no memory: the listener would stay readable all the time.
                try? events.epoll.remove(borrowedListener)
                pausedUntil = now + Self.pause
            }
        }
    }

    private func resume() {
        do throws(Errno) {
            try events.epoll.add(borrowedListener, .readable, token: Self.listenerToken)
            pausedUntil = nil
        } catch {
            pausedUntil = pausedUntil.map { $0 + Self.pause }
        }
    }
}

extension Errno {
    fileprivate static let connectionAborted = Errno(rawValue: ECONNABORTED)
}
