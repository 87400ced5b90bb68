// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import DNS
import Linux

/// The resolver that a client keeps in the sandbox's network namespace on the host, as containers find it in their own: what they
/// ask it here is asked there, over a port of the host's that takes connections alone.
final class GuestResolver {
    /// Where docker's daemon is found, by what it writes into resolv.conf(5).
    static let address = InternetSocket.Address(host: 0x7f00_000b, port: 53)
    /// As many as docker's daemon asks elsewhere at a time. What comes beyond is lost, as it would be there.
    static let queryLimit = 100
    /// Of those by TCP. A further client waits.
    static let connectionLimit = 64
    /// A datagram that has more is no query that is asked.
    static let queryByteLimit = 4096
    /// Shorter than clients wait, which so hear that there is no answer; longer than docker's daemon waits for the first of
    /// several servers.
    static let usualTimeoutNanoseconds: Int64 = 4_800_000_000
    /// How many datagrams are taken before others get their turn.
    private static let turnLimit = 16

    private let loop: EventLoop
    private let entrance: ResolverEntrance
    private let token: StreamToken
    private let connect: () throws(Errno) -> FileDescriptor
    private let timeoutNanoseconds: Int64
    private let timer: Timer
    private var watches: [EventLoop.Watch] = []
    private var listening: EventLoop.Watch?
    /// In the order in which they came, and so of their deadlines.
    private var queries: [ResolverQuery] = []
    private var connections: [ObjectIdentifier: HostConnection] = [:]

    /// - Parameters:
    ///   - token: what the host's port knows us by.
    ///   - connect: begins to connect to it.
    init(
        _ loop: EventLoop, _ entrance: consuming ResolverEntrance, token: StreamToken,
        timeoutNanoseconds: Int64 = usualTimeoutNanoseconds, connect: @escaping () throws(Errno) -> FileDescriptor
    ) throws(Errno) {
        self.loop = loop
        self.entrance = entrance
        self.token = token
        self.timeoutNanoseconds = timeoutNanoseconds
        self.connect = connect
        timer = try Timer()
        watches.append(try loop.watch(timer.descriptor.borrowed, .readable) { [unowned self] _ in expire() })
        watches.append(try loop.watch(self.entrance.datagrams.borrowed, .readable) { [unowned self] _ in receive() })
        listens(true)
    }

    /// Ends all that it does.
    func close() {
        listens(false)
        for watch in watches { loop.ignore(watch) }
        for query in queries { query.close() }
        for connection in connections.values { connection.cancel() }
        (watches, queries, connections) = ([], [], [:])
    }

    private var greeting: SocketGreeting { SocketGreeting(token: token, uid: 0, gid: 0) }

    // MARK: Datagrams

    private func receive() {
        for _ in 0..<Self.turnLimit {
            // One more than it may have, so that what is cut is seen.
            let limit = Self.queryByteLimit + 1
            guard let (message, sender) = try? InternetSocket.receive(upTo: limit, from: entrance.datagrams.borrowed)
            else { return }
            guard message.count < limit, DNSMessage.isQuery(message), queries.count < Self.queryLimit else { continue }
            do throws(Errno) {
                let deadline = SystemTime.monotonicNanoseconds() + timeoutNanoseconds
                let query = try ResolverQuery(
                    loop, message, of: sender, until: deadline, over: connect(), greeting
                ) { [unowned self] query, answer in
                    finish(query, answer)
                }
                queries.append(query)
                if queries.count == 1 { setTimer() }
            } catch {
                answer(DNSMessage.failure(of: message), to: sender)
            }
        }
    }

    /// - Parameter answer: nil where there is none.
    private func finish(_ query: ResolverQuery, _ answer: [UInt8]?) {
        guard let index = queries.firstIndex(where: { $0 === query }) else { return }
        queries.remove(at: index)
        query.close()
        let fitted = answer.map { DNSMessage.fitted($0, to: DNSMessage.answerLimit(of: query.message)) }
        self.answer(fitted ?? DNSMessage.failure(of: query.message), to: query.sender)
        if index == 0 { setTimer() }
    }

    private func answer(_ message: [UInt8], to sender: InternetSocket.Address) {
        // Lost where it cannot be sent: such are datagrams.
        try? entrance.source.send(message, to: sender)
    }

    private func expire() {
        let now = SystemTime.monotonicNanoseconds()
        while let query = queries.first, query.deadlineNanoseconds <= now { finish(query, nil) }
        setTimer()
    }

    private func setTimer() {
        let now = SystemTime.monotonicNanoseconds()
        try? timer.set(nanosecondsFromNow: queries.first.map { $0.deadlineNanoseconds - now })
    }

    // MARK: Connections

    private func listens(_ isOn: Bool) {
        if isOn, listening == nil {
            listening = try? loop.watch(entrance.listener.borrowed, .readable) { [unowned self] _ in accept() }
        } else if !isOn, let watch = listening {
            loop.ignore(watch)
            listening = nil
        }
    }

    private func accept() {
        do throws(Errno) {
            let inner = try UnixSocket.accept(entrance.listener.borrowed, nonBlocking: true)
            let connection = try HostConnection(loop, inner: inner, outer: connect(), greeting: greeting) {
                [unowned self] connection in
                connections[ObjectIdentifier(connection)] = nil
                if connections.count == Self.connectionLimit - 1 { listens(true) }
            }
            connections[ObjectIdentifier(connection)] = connection
            if connections.count >= Self.connectionLimit { listens(false) }
        } catch {
            // The program has given up meanwhile, or sees its connection end.
        }
    }
}

/// Where a ``GuestResolver`` is asked.
struct ResolverEntrance: ~Copyable {
    /// Queries come in by it.
    let datagrams: FileDescriptor
    let listener: FileDescriptor
    /// Answers go out by it.
    let source: DatagramSource
    private let steering: SocketSteering

    /// At `address`, in the network namespace of the caller. As on a host, only its own ports are taken: a server of the
    /// container's may have the same port of all addresses.
    init(_ address: InternetSocket.Address) throws(Errno) {
        let free = InternetSocket.Address(host: address.host, port: 0)
        let datagrams = try InternetSocket.datagrams(at: free)
        let listener = try InternetSocket.listen(at: free)
        let source = try DatagramSource(address)
        steering = try SocketSteering(of: address, to: listener.borrowed, datagrams.borrowed)
        self.datagrams = datagrams
        self.listener = listener
        self.source = source
    }
}
