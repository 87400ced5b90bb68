// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SandboxPlan
import SocketBridge

/// Sockets of the host's that containers have bound: the agent listens in their place, in a directory that only the mounts of
/// containers lead to, and carries each connection to the host's port.
final class ContainerSockets {
    /// Of all containers together. A further client waits, as for a busy server.
    private static let connectionLimit = 256

    private let loop: EventLoop
    private let directory: String
    private var containers: [String: [ContainerSocket]] = [:]
    private var lastName = 0
    private var connectionCount = 0

    init(_ loop: EventLoop, directory: String) {
        self.loop = loop
        self.directory = directory
    }

    /// Listens for the sockets among the mounts of `plan`, and puts what there is now into their places.
    func listen(for plan: inout ContainerPlan) throws(AgentError) {
        for (index, mount) in plan.mounts.enumerated() {
            guard case .socket(let socket) = mount.source else { continue }
            guard let token = StreamToken(socket.token) else { throw .system(operation: "socket", .invalidArgument) }
            lastName += 1
            let path = "\(directory)/\(lastName)"
            let bound = try doing("socket \(mount.destination)") { () throws(Errno) in
                try makeDirectory()
                return try ContainerSocket(socket, token: token, path: path, loop: loop, owner: self)
            }
            containers[plan.id, default: []].append(bound)
            plan.mounts[index].source = .guest(path: path, recursive: false)
        }
    }

    private func makeDirectory() throws(Errno) {
        do {
            try Directory.make(directory, mode: 0o700)
        } catch  where error == .exists {}
    }

    /// Ends the sockets of `container` with all their connections.
    func forget(_ container: String) {
        for socket in containers.removeValue(forKey: container) ?? [] { socket.close() }
    }

    fileprivate func mayConnect() -> Bool {
        guard connectionCount < Self.connectionLimit else { return false }
        connectionCount += 1
        if connectionCount == Self.connectionLimit { for socket in all { socket.listens(false) } }
        return true
    }

    fileprivate func hasDisconnected() {
        connectionCount -= 1
        if connectionCount == Self.connectionLimit - 1 { for socket in all { socket.listens(true) } }
    }

    private var all: [ContainerSocket] { containers.values.flatMap(\.self) }
}

/// One of them.
private final class ContainerSocket {
    private let socket: HostSocket
    private let token: StreamToken
    private let path: String
    private let loop: EventLoop
    private unowned let owner: ContainerSockets
    private let listener: FileDescriptor
    private var watch: EventLoop.Watch?
    private var connections: [ObjectIdentifier: HostConnection] = [:]

    init(
        _ socket: HostSocket, token: StreamToken, path: String, loop: EventLoop, owner: ContainerSockets
    ) throws(Errno) {
        self.socket = socket
        self.token = token
        self.path = path
        self.loop = loop
        self.owner = owner
        listener = try UnixSocket.listen(at: path, nonBlocking: true)
        let here = BorrowedDescriptor.currentDirectory
        try FileNode.setOwner(uid: socket.uid, gid: socket.gid, of: path, at: here)
        try FileNode.setPermissions(socket.mode, of: path, at: here)
        listens(true)
    }

    func listens(_ isOn: Bool) {
        if isOn, watch == nil {
            watch = try? loop.watch(listener.borrowed, .readable) { [unowned self] _ in accept() }
        } else if !isOn, let old = watch {
            loop.ignore(old)
            watch = nil
        }
    }

    func close() {
        listens(false)
        for connection in connections.values {
            connection.cancel()
            owner.hasDisconnected()
        }
        connections = [:]
        try? Directory.remove(path, isDirectory: false)
    }

    private func accept() {
        guard owner.mayConnect() else { return }
        do throws(Errno) {
            let inner = try UnixSocket.accept(listener.borrowed, nonBlocking: true)
            let peer = try UnixSocket.peer(of: inner.borrowed)
            let outer = try VsockSocket.beginConnecting(cid: VsockSocket.hostCID, port: socket.port)
            let greeting = SocketGreeting(token: token, uid: peer.uid, gid: peer.gid)
            let connection = try HostConnection(loop, inner: inner, outer: outer, greeting: greeting) {
                [unowned self] connection in
                guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
                owner.hasDisconnected()
            }
            connections[ObjectIdentifier(connection)] = connection
        } catch {
            owner.hasDisconnected()
        }
    }
}
