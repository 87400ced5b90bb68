// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SocketBridge

/// Takes the guest's connections at ports of the host's, and carries each to what it leads to, for as long as a process lives.
final class SocketServer {
    /// Of all ports together. A further client waits.
    private static let connectionLimit = 256
    /// Milliseconds between two tries to connect to a server that is busy.
    private static let retryMilliseconds: Int32 = 20
    /// How long what is on its way may take when the process has ended, and how long it may stand still.
    private static let drainLimit = Duration.seconds(2)
    private static let drainStallMilliseconds: Int32 = 100

    /// A port of the host's.
    struct Port {
        /// Where the guest's connections come in, and what they begin with.
        let listener: BorrowedDescriptor
        let token: [UInt8]
        /// Connects to what it leads to, or begins to; EAGAIN where that is busy.
        let connect: (SocketGreeting) throws(Errno) -> FileDescriptor
    }

    private let loop: EventLoop
    private var services: [Service] = []
    private var connections: [ObjectIdentifier: Connection] = [:]
    /// Those whose server was busy.
    private var waiting: [Connection] = []
    private var life: EventLoop.Watch?
    private var hasEnded = false

    private final class Service {
        let port: Port
        var watch: EventLoop.Watch?

        init(_ port: Port) { self.port = port }
    }

    private final class Connection {
        let service: Service
        var guest: FileDescriptor?
        var received: [UInt8] = []
        var greeting: SocketGreeting?
        var watch: EventLoop.Watch?
        var bridge: SocketBridge?

        init(_ service: Service, guest: consuming FileDescriptor) {
            self.service = service
            self.guest = consume guest
        }
    }

    /// - Parameter process: a pidfd.
    init(_ ports: [Port], until process: BorrowedDescriptor) throws(Errno) {
        loop = try EventLoop()
        services = ports.map(Service.init)
        listen(true)
        life = try loop.watch(process, .readable) { [unowned self] _ in
            hasEnded = true
            if let life { loop.ignore(life) }
        }
    }

    /// Serves until the process has ended, and then what is on its way.
    ///
    /// - Parameter whenEnded: takes away what connections come in by.
    func serve(whenEnded: () -> Void = {}) throws(Errno) {
        while !hasEnded {
            try loop.turn(milliseconds: waiting.isEmpty ? -1 : Self.retryMilliseconds)
            retry()
        }
        listen(false)
        whenEnded()
        let deadline = Deadline(after: Self.drainLimit)
        while !connections.isEmpty, !deadline.hasPassed {
            guard try loop.turn(milliseconds: Self.drainStallMilliseconds) else { return }
        }
    }

    private func listen(_ isOn: Bool) {
        for service in services {
            if isOn, service.watch == nil {
                service.watch = try? loop.watch(service.port.listener, .readable) {
                    [unowned self, unowned service] _ in
                    accept(service)
                }
            } else if !isOn, let watch = service.watch {
                loop.ignore(watch)
                service.watch = nil
            }
        }
    }

    private func accept(_ service: Service) {
        do throws(Errno) {
            let socket = try UnixSocket.accept(service.port.listener, nonBlocking: true)
            let guest = socket.borrowed
            let connection = Connection(service, guest: socket)
            connections[ObjectIdentifier(connection)] = connection
            if connections.count >= Self.connectionLimit { listen(false) }
            connection.watch = try loop.watch(guest, .readable) { [unowned self, unowned connection] _ in
                receive(connection)
            }
        } catch {
            // Of descriptors there are enough; what the guest has given up meanwhile is gone.
        }
    }

    private func receive(_ connection: Connection) {
        guard let guest = connection.guest?.borrowed else { return }
        do {
            // Never a byte more: what follows is the stream's.
            let missing = SocketGreeting.byteCount - connection.received.count
            guard let bytes = try Socket.receive(upTo: missing, from: guest) else { return }
            if bytes.isEmpty { return drop(connection) }
            connection.received += bytes
        } catch {
            return drop(connection)
        }
        guard connection.received.count == SocketGreeting.byteCount else { return }
        forgetWatch(of: connection)
        guard let greeting = SocketGreeting(connection.received),
            greeting.token.bytes == connection.service.port.token
        else { return drop(connection) }
        connection.greeting = greeting
        connect(connection)
    }

    /// Tries those once more whose server was busy.
    private func retry() {
        let tried = waiting
        waiting = []
        for connection in tried { connect(connection) }
    }

    private func connect(_ connection: Connection) {
        guard let greeting = connection.greeting else { return drop(connection) }
        var made: FileDescriptor?
        do throws(Errno) {
            made = try connection.service.port.connect(greeting)
        } catch {
            if error == .wouldBlock { return waiting.append(connection) }
            return drop(connection)
        }
        guard let server = made.take(), let guest = connection.guest.take() else { return drop(connection) }
        let bridge = SocketBridge(loop, guest, server) { [unowned self, unowned connection] in drop(connection) }
        connection.bridge = bridge
        bridge.begin()
    }

    private func forgetWatch(of connection: Connection) {
        if let watch = connection.watch { loop.ignore(watch) }
        connection.watch = nil
    }

    private func drop(_ connection: Connection) {
        forgetWatch(of: connection)
        connection.bridge?.cancel()
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        if !hasEnded, connections.count == Self.connectionLimit - 1 { listen(true) }
    }
}
