// SPDX-License-Identifier: Apache-2.0
public import Linux
import TaskProtocol

/// Calls of a server on a unix socket, all on the thread that calls ``work(now:)``. There is one connection, made by
/// the first call, and by the first after it was lost. A call that fails is not made again: who made it may.
public final class Client {
    /// The most calls that may wait for an answer, and the most bytes of them that wait to be sent.
    public static let callLimit = 1024
    /// The most bytes of calls that wait to be sent; with more the connection is closed.
    public static let queuedByteLimit = 8 << 20

    private struct Waiting {
        var deadline: ContinuousClock.Instant
        var done: (Result<[UInt8], Failure>) -> Void
    }

    private static let wakeToken: UInt64 = 0
    private static let socketToken: UInt64 = 1

    private let path: String
    private let events: EpollSet
    /// Signalled when calls ended and their callers have not been told yet.
    private let wake: EventFD
    private var channel: FrameChannel?
    private var nextStream: UInt32 = 1
    private var waiting: [UInt32: Waiting] = [:]
    private var ended: [() -> Void] = []

    /// - Parameter path: of the server's socket, at most 107 bytes long. It need not be there yet.
    public init(path: String) throws(Errno) {
        let events = try EpollSet()
        let wake = try EventFD()
        try events.epoll.add(wake.descriptor.borrowed, .readable, token: Self.wakeToken)
        self.path = path
        self.events = events
        self.wake = consume wake
    }

    /// An epoll set: readable when ``work(now:)`` has something to do.
    public var descriptor: BorrowedDescriptor { events.epoll.borrowed }

    /// How many calls wait for an answer, or for their caller to be told.
    public var callCount: Int { waiting.count + ended.count }

    /// Calls a method. `done` is called once, from ``work(now:)``: the method's message; or `unavailable` where there
    /// is no server or the connection was lost, in which case the call may have been carried out or not;
    /// `deadlineExceeded`; or what the server said.
    public func call(
        service: String, method: String, payload: [UInt8], timeout: Duration,
        _ done: @escaping (Result<[UInt8], Failure>) -> Void
    ) {
        let request = RPCRequest.with {
            $0.service = service
            $0.method = method
            $0.payload = payload
            $0.timeoutNanoseconds = max(1, timeout.nanoseconds)
        }.encoded()
        guard timeout > .zero else { return end(done, .deadlineExceeded, "no time was given") }
        guard request.count <= Frame.limit else {
            return end(done, .resourceExhausted, "request of \(request.count) bytes is longer than \(Frame.limit)")
        }
        guard waiting.count < Self.callLimit else { return end(done, .resourceExhausted, "too many calls wait") }
        let channel: FrameChannel
        do throws(Errno) {
            channel = try connected()
        } catch {
            return end(done, .unavailable, "\(path): \(error)")
        }
        let stream = nextStream
        nextStream += 2
        waiting[stream] = Waiting(deadline: .now + timeout, done: done)
        channel.send(Frame(stream: stream, .request, request))
        // The caller's loop is to learn of the deadline.
        wake.signal()
        if channel.isClosed { lose() }
    }

    /// Takes what has come, sends what can be sent, ends what has waited too long; never blocks.
    ///
    /// - Returns: when to call again, if the descriptor is not readable before.
    public func work(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        _ = wake.drain()
        // The set is ours and open, and EINTR is no event: nothing can fail here.
        for event in (try? events.epoll.wait(milliseconds: 0)) ?? [] where event.token == Self.socketToken {
            if event.events.contains(.writable) { channel?.flush() }
            channel?.receive(now: now) { take($0) }
        }
        if channel?.isClosed == true { lose() }
        var next: ContinuousClock.Instant?
        for (stream, call) in waiting {
            if now >= call.deadline {
                waiting[stream] = nil
                end(call.done, .deadlineExceeded, "\(path): no answer in time")
            } else {
                next = min(next ?? call.deadline, call.deadline)
            }
        }
        let ended = self.ended
        self.ended = []
        for tell in ended { tell() }
        // Those told may have called again.
        return self.ended.isEmpty ? next : now
    }

    /// Closes the connection; calls that wait end as `unavailable`. The next call connects anew.
    public func disconnect() {
        channel?.close()
        lose()
    }

    /// In a forked copy of this process: closes its copy of the socket. Nothing of the client may be used afterwards.
    public func abandon() {
        channel?.abandon()
        waiting = [:]
    }

    private func connected() throws(Errno) -> FrameChannel {
        // Numbers are not used twice in a connection.
        if nextStream > .max - 2 { disconnect() }
        if let channel, !channel.isClosed { return channel }
        lose()
        let socket = try UnixSocket.connect(to: path, nonBlocking: true)
        let channel = try FrameChannel(
            socket, in: events, token: Self.socketToken, queueLimit: Self.queuedByteLimit)
        self.channel = channel
        nextStream = 1
        return channel
    }

    private func take(_ found: FrameReader.Found) {
        switch found {
        case .frame(let frame):
            guard frame.header.kind == .response, let call = waiting.removeValue(forKey: frame.header.stream)
            else { return }
            do {
                let response = try RPCResponse(decoding: frame.payload)
                guard let status = response.status, status.code != 0 else {
                    return end(call.done, .success(response.payload))
                }
                end(call.done, StatusCode(rawValue: status.code), status.message)
            } catch {
                end(call.done, .internal, "answer: \(error)")
            }
        case .tooLong(let header):
            guard header.kind == .response, let call = waiting.removeValue(forKey: header.stream) else { return }
            end(
                call.done, .resourceExhausted,
                "answer of \(header.payloadByteCount) bytes is longer than \(Frame.limit)")
        }
    }

    private func lose() {
        channel = nil
        let lost = waiting
        waiting = [:]
        for call in lost.values { end(call.done, .unavailable, "\(path): the connection was lost") }
    }

    private func end(_ done: @escaping (Result<[UInt8], Failure>) -> Void, _ code: StatusCode, _ message: String) {
        end(done, .failure(Failure(code, message)))
    }

    private func end(_ done: @escaping (Result<[UInt8], Failure>) -> Void, _ result: Result<[UInt8], Failure>) {
        ended.append { done(result) }
        wake.signal()
    }
}

extension Duration {
    /// Whole nanoseconds, as many as fit.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflows { return seconds < 0 ? .min : .max }
        let (sum, overflowsAgain) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflowsAgain ? (seconds < 0 ? .min : .max) : sum
    }
}
