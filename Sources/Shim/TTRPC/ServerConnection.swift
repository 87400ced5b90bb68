// SPDX-License-Identifier: Apache-2.0
import Linux
import TaskProtocol

/// One client of a server. Streams are numbered by the client, odd and rising; each is one request and one answer.
final class ServerConnection {
    private struct Waiting {
        var deadline: ContinuousClock.Instant?
        /// What its request holds in memory.
        var byteCount: Int
    }

    private let channel: FrameChannel
    private let limits: ServerLimits
    private let handler: (Call) -> Void
    private var calls: [UInt32: Waiting] = [:]
    private var heldByteCount = 0
    private var lastStream: UInt32 = 0

    init(_ channel: FrameChannel, _ limits: ServerLimits, _ handler: @escaping (Call) -> Void) {
        self.channel = channel
        self.limits = limits
        self.handler = handler
    }

    var isClosed: Bool { channel.isClosed }
    var hasPending: Bool { channel.queuedByteCount > 0 }

    func abandon() { channel.abandon() }

    func work(_ events: Epoll.Events, now: ContinuousClock.Instant) {
        if events.contains(.writable) { channel.flush() }
        guard !events.isDisjoint(with: [.readable, .error, .hangUp]) else { return }
        channel.receive(now: now) { found in
            switch found {
            case .frame(let frame):
                // Data is of streams, all of which were refused. Kinds of a later version are passed over, as the
                // protocol's own server does.
                if frame.header.kind == .request { begin(frame, now: now) }
            case .tooLong(let header):
                guard header.kind == .request, mayBegin(header.stream) else { return }
                refuse(
                    header.stream, .resourceExhausted,
                    "message of \(header.payloadByteCount) bytes is longer than \(Frame.limit)")
            }
        }
    }

    /// Ends what has waited too long.
    ///
    /// - Returns: when there is more to end.
    func expire(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        if let since = channel.waitsSince, now >= since + limits.frameTime { channel.close() }
        guard !isClosed else { return nil }
        var next = channel.waitsSince.map { $0 + limits.frameTime }
        for (stream, call) in calls {
            guard let deadline = call.deadline else { continue }
            if now >= deadline {
                finish(stream, .failure(Failure(.deadlineExceeded, "the time for this call has passed")))
            } else {
                next = min(next ?? deadline, deadline)
            }
        }
        return next
    }

    /// Whether `stream` may begin: says why not where it may not.
    private func mayBegin(_ stream: UInt32) -> Bool {
        guard stream % 2 == 1 else {
            refuse(stream, .invalidArgument, "stream \(stream): a client's streams are odd")
            return false
        }
        guard stream > lastStream else {
            refuse(stream, .invalidArgument, "stream \(stream): the last was \(lastStream), and streams rise")
            return false
        }
        lastStream = stream
        return true
    }

    private func begin(_ frame: Frame, now: ContinuousClock.Instant) {
        let stream = frame.header.stream
        guard mayBegin(stream) else { return }
        guard frame.header.flags == 0 else { return refuse(stream, .unimplemented, "streaming is not supported") }
        guard calls.count < limits.callsPerConnection, heldByteCount + frame.payload.count <= limits.heldByteCount
        else { return refuse(stream, .resourceExhausted, "too many calls wait for an answer") }
        let request: RPCRequest
        do {
            request = try RPCRequest(decoding: frame.payload)
        } catch {
            return refuse(stream, .invalidArgument, "request: \(error)")
        }
        let nanoseconds = request.timeoutNanoseconds
        guard nanoseconds >= 0 else {
            return refuse(stream, .deadlineExceeded, "the time for this call had passed when it came")
        }
        let timeout: Duration? = nanoseconds == 0 ? nil : .nanoseconds(nanoseconds)
        calls[stream] = Waiting(deadline: timeout.map { now + $0 }, byteCount: frame.payload.count)
        heldByteCount += frame.payload.count
        handler(
            Call(
                service: request.service, method: request.method, payload: request.payload, timeout: timeout,
                stream: stream, of: self))
    }

    func waits(_ stream: UInt32) -> Bool { !isClosed && calls[stream] != nil }

    /// Answers `stream`, unless it was answered.
    func finish(_ stream: UInt32, _ result: Result<[UInt8], Failure>) {
        guard let call = calls.removeValue(forKey: stream) else { return }
        heldByteCount -= call.byteCount
        answer(stream, result)
    }

    private func refuse(_ stream: UInt32, _ code: StatusCode, _ message: String) {
        answer(stream, .failure(Failure(code, message)))
    }

    private func answer(_ stream: UInt32, _ result: Result<[UInt8], Failure>) {
        // Old clients take an answer without a status for a failure, so success has one too.
        var response = RPCResponse.with { $0.status = RPCStatus() }
        switch result {
        case .success(let payload):
            response.payload = payload
        case .failure(let failure):
            response.status?.code = failure.code == .ok ? StatusCode.unknown.rawValue : failure.code.rawValue
            response.status?.message = failure.message
        }
        var payload = response.encoded()
        if payload.count > Frame.limit {
            response = .with {
                $0.status = .with {
                    $0.code = StatusCode.resourceExhausted.rawValue
                    $0.message = "answer of \(payload.count) bytes is longer than \(Frame.limit)"
                }
            }
            payload = response.encoded()
        }
        channel.send(Frame(stream: stream, .response, payload))
    }
}
