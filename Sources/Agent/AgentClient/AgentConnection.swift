// SPDX-License-Identifier: Apache-2.0
public import AgentProtocol
public import Linux
import SandboxPlan

/// One control connection to the agent of a guest.
///
/// Used two ways, also mixed: ``call(_:timeout:)`` waits for its answer; ``send(_:)`` and ``receive()`` never
/// wait, for a loop that watches ``descriptor``. Containers and processes made with `isOwned` die with it.
///
/// The agent is the guest's, and a guest may say anything: an answer to no request is dropped, and an agent that goes
/// on with such is hung up on; events are kept in bounded number; a deadline holds whatever comes meanwhile.
public final class AgentConnection {
    /// How many messages that answer no request, and how many of their bytes, may come while an answer is waited for.
    static let strayLimit = 4096
    static let strayByteLimit = 16 << 20
    /// How many events are kept for who asks; what is more is lost.
    static let eventLimit = 64

    private let socket: FileDescriptor
    private var reader = FrameReader()
    private var outgoing: [UInt8] = []
    private var lastID: UInt64 = 0
    /// Requests whose answers are still to come.
    private var awaited: Set<UInt64> = []
    /// Answers, and events, that came while another was waited for.
    private var pending: [AnswerMessage] = []
    /// What came unasked since the last answer that a caller waited for.
    private var strays = (count: 0, byteCount: 0)

    /// Connects by the unix socket of the guest's vsock device and greets the agent.
    public convenience init(socketPath: String, deadline: Deadline) throws(AgentClientError) {
        let socket = try GuestSocket.connect(to: socketPath, port: GuestConvention.controlPort, deadline: deadline)
        try self.init(socket: socket, deadline: deadline)
    }

    /// Greets the agent on a connection to its control port.
    public init(socket: consuming FileDescriptor, deadline: Deadline) throws(AgentClientError) {
        self.socket = socket
        let answer = try call(.hello(version: AgentProtocol.version), until: deadline)
        guard case .welcome(let version) = answer else { throw .unexpectedAnswer(operation: "hello") }
        guard version == AgentProtocol.version else { throw .version(ours: AgentProtocol.version, agents: version) }
    }

    /// The socket, for poll(2) and epoll(7): readable when ``receive()`` has something to do, and to be
    /// watched for writing while ``wantsToWrite``.
    public var descriptor: BorrowedDescriptor { socket.borrowed }

    /// Requests wait that the socket has not taken yet: call ``flush()`` once it is writable.
    public var wantsToWrite: Bool { !outgoing.isEmpty }

    /// Sends `request` and waits for its answer; nil waits for ever. Answers to others are kept for ``receive()``.
    ///
    /// - Throws: `failed` for a Failure of the agent's.
    @discardableResult
    public func call(_ request: Request, timeout: Duration?) throws(AgentClientError) -> Answer {
        try call(request, until: timeout.map { Deadline(after: $0) })
    }

    /// As ``call(_:timeout:)``, until a moment.
    @discardableResult
    public func call(_ request: Request, until deadline: Deadline?) throws(AgentClientError) -> Answer {
        let operation = request.name
        let id = try send(request)
        while wantsToWrite {
            try wait(.writable, operation, deadline)
            try flush()
        }
        while true {
            if let index = pending.firstIndex(where: { $0.id == id }) {
                let answer = pending.remove(at: index).answer
                strays = (0, 0)
                if case .failure(let failure) = answer { throw .failed(failure) }
                return answer
            }
            // Looked at each time: who never stops talking is no more patiently listened to than who is silent.
            if let deadline, deadline.hasPassed { throw .timedOut(operation: operation) }
            if let message = try nextMessage(operation) {
                if let message { pending.append(message) }
                continue
            }
            try wait(.readable, operation, deadline)
            try fill(operation)
        }
    }

    /// Queues `request` and sends what the socket takes at once.
    ///
    /// - Returns: the id its answer will carry.
    @discardableResult
    public func send(_ request: Request) throws(AgentClientError) -> UInt64 {
        lastID += 1
        do {
            outgoing += try RequestMessage(id: lastID, request: request).frame()
        } catch {
            throw .malformed(error)
        }
        awaited.insert(lastID)
        try flush()
        return lastID
    }

    /// Sends what waits, as far as the socket takes it.
    public func flush() throws(AgentClientError) {
        var start = 0
        defer { outgoing.removeFirst(start) }
        while start < outgoing.count {
            let count: Int
            do {
                count = try Socket.send(outgoing, from: start, on: socket.borrowed)
            } catch {
                throw GuestSocket.failure(error, "send")
            }
            if count == 0 { return }
            start += count
        }
    }

    /// The next answer or event that has arrived, without waiting; nil where none is whole yet.
    ///
    /// Call until nil whenever the descriptor is readable.
    /// - Throws: `closed` once the agent has gone and everything it sent was returned.
    public func receive() throws(AgentClientError) -> AnswerMessage? {
        if !pending.isEmpty { return pending.removeFirst() }
        while true {
            if let message = try nextMessage("receive") {
                guard let message else { continue }
                // A caller that takes events as they come is not flooded by them.
                strays = (0, 0)
                return message
            }
            guard try fill("receive") else { return nil }
        }
    }

    /// nil where none is whole yet; .some(nil) for one that is of no interest.
    private func nextMessage(_ operation: String) throws(AgentClientError) -> AnswerMessage?? {
        let message: AnswerMessage
        let byteCount: Int
        do {
            guard let bytes = try reader.next() else { return nil }
            byteCount = bytes.count
            message = try AnswerMessage(decoding: bytes)
        } catch {
            throw .malformed(error)
        }
        if awaited.remove(message.id) != nil { return message }
        strays = (strays.count + 1, strays.byteCount + byteCount)
        guard strays.count <= Self.strayLimit, strays.byteCount <= Self.strayByteLimit else {
            throw .flooded(operation: operation)
        }
        guard message.id == 0, case .event = message.answer else { return .some(nil) }
        return pending.count(where: { $0.id == 0 }) < Self.eventLimit ? message : .some(nil)
    }

    /// Reads once; false where nothing is there.
    @discardableResult
    private func fill(_ operation: String) throws(AgentClientError) -> Bool {
        do {
            guard let bytes = try Socket.receive(upTo: 65536, from: socket.borrowed) else { return false }
            if bytes.isEmpty { throw AgentClientError.closed(operation: operation) }
            reader.append(bytes)
            return true
        } catch let error as AgentClientError {
            throw error
        } catch let error as Errno {
            throw GuestSocket.failure(error, operation)
        } catch {
            throw .closed(operation: operation)
        }
    }

    private func wait(_ events: Poll.Events, _ operation: String, _ deadline: Deadline?) throws(AgentClientError) {
        do {
            if try !Poll.wait(socket.borrowed, events, until: deadline).isEmpty { return }
        } catch {
            throw .transport(operation: operation, error)
        }
        throw .timedOut(operation: operation)
    }
}
