// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import ProgramArguments
import SocketBridge

/// The host's end of the sockets that a container has bound: takes the guest's connections, and makes one to the host's socket
/// for each, for as long as the process that stands for the container lives.
///
/// A socket is known by a descriptor from before the container was made, so that no name is looked up when a guest asks. Its
/// server sees the user that the guest names, whose process it says has connected; and of this process's pid.
final class SocketServer {
    /// Of all sockets together. A further client waits.
    private static let connectionLimit = 256
    /// Milliseconds between two tries to connect to a server that is busy.
    private static let retryMilliseconds: Int32 = 20
    /// How long what is on its way may take when the container has ended, and how long it may stand still.
    private static let drainLimit = Duration.seconds(2)
    private static let drainStallMilliseconds: Int32 = 100

    private let loop: EventLoop
    private let arguments: SocketServerArguments
    private var services: [Service] = []
    private var connections: [ObjectIdentifier: Connection] = [:]
    /// Those whose server was busy.
    private var waiting: [Connection] = []
    private var life: EventLoop.Watch?
    private var hasEnded = false

    private final class Service {
        let socket: SocketServerArguments.Socket
        var watch: EventLoop.Watch?

        var listener: BorrowedDescriptor { BorrowedDescriptor(rawValue: socket.listener) }
        var target: BorrowedDescriptor { BorrowedDescriptor(rawValue: socket.target) }

        init(_ socket: SocketServerArguments.Socket) { self.socket = socket }
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

    /// The program.
    static func main(_ words: [String]) -> Never {
        do {
            let server = try SocketServer(SocketServerArguments(parsing: words))
            try server.serve()
        } catch {
            try? BorrowedDescriptor.standardError.writeAll(Array("fc-proxy: sockets: \(error)\n".utf8))
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    init(_ arguments: SocketServerArguments) throws(Errno) {
        loop = try EventLoop()
        self.arguments = arguments
        _ = try DescriptorLimit.raise()
        // A server that asks for the peer's groups is not told of the caller's.
        try Process.setSupplementaryGroups([])
        try Process.setNoNewPrivileges()
        services = arguments.sockets.map(Service.init)
        listen(true)
        life = try loop.watch(BorrowedDescriptor(rawValue: arguments.process), .readable) { [unowned self] _ in
            hasEnded = true
            if let life { loop.ignore(life) }
        }
    }

    func serve() throws(Errno) {
        while !hasEnded {
            try loop.turn(milliseconds: waiting.isEmpty ? -1 : Self.retryMilliseconds)
            retry()
        }
        listen(false)
        let directory = BorrowedDescriptor(rawValue: arguments.directory)
        for service in services {
            try? Directory.remove(service.socket.name, at: directory, isDirectory: false)
        }
        let deadline = Deadline(after: Self.drainLimit)
        while !connections.isEmpty, !deadline.hasPassed {
            guard try loop.turn(milliseconds: Self.drainStallMilliseconds) else { return }
        }
    }

    private func listen(_ isOn: Bool) {
        for service in services {
            if isOn, service.watch == nil {
                service.watch = try? loop.watch(service.listener, .readable) {
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
            let socket = try UnixSocket.accept(service.listener, nonBlocking: true)
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
            greeting.token.bytes == connection.service.socket.token
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
            try Process.acting(uid: greeting.uid, gid: greeting.gid) { () throws(Errno) in
                made = try UnixSocket.connect(to: connection.service.target.path, nonBlocking: true)
            }
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
