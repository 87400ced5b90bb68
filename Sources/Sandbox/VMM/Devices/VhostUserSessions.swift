// SPDX-License-Identifier: Apache-2.0
import Linux
import Synchronization
import VhostUser
import Virtio

/// The connections of a machine's devices to QEMU, which end together: with the machine, or when one of them cannot go
/// on.
final class VhostUserSessions: Sendable {
    private struct State {
        var connections: [Connection] = []
        var failure: VMMError?
        var isOver = false
    }

    private let state = Mutex(State())

    /// The first failure reported, if any.
    var failure: VMMError? { state.withLock { $0.failure } }

    /// The connection of `device` to QEMU's `frontEnd` of it, which is owned from now on.
    func add(_ device: MachineDevice, _ frontEnd: MachineDevice.FrontEnd) throws(VMMError) -> VhostUserSession {
        switch frontEnd {
        case .connected(let number):
            let connection = FileDescriptor(owning: number)
            try watch(connection, device.title)
            return VhostUserSession(device, connection, isListening: false, of: self)
        case .listening(let number):
            let listener = FileDescriptor(owning: number)
            try watch(listener, device.title)
            return VhostUserSession(device, listener, isListening: true, of: self)
        }
    }

    /// Ends `socket` with the others; at once, where they have ended already.
    func watch(_ socket: borrowing FileDescriptor, _ title: String) throws(VMMError) {
        // A second descriptor, to hang up on.
        let copy = Connection(try preparing(title, try socket.duplicate()))
        let isOver = state.withLock {
            $0.connections.append(copy)
            return $0.isOver
        }
        if isOver { copy.hangUp() }
    }

    /// The machine is of no use any more: ends all sessions. The first failure is the one that is kept.
    func fail(_ error: VMMError) {
        // What breaks because all was hung up on is no failure.
        state.withLock { if !$0.isOver, $0.failure == nil { $0.failure = error } }
        end()
    }

    /// Hangs up on all of them.
    func end() {
        let connections = state.withLock {
            $0.isOver = true
            return $0.connections
        }
        for connection in connections { connection.hangUp() }
    }
}

/// A device of the machine, and the connection by which QEMU sets its driver's rings up.
final class VhostUserSession: @unchecked Sendable {
    // @unchecked: handed whole to the one thread that serves it; its maker starts and joins that thread, no more.
    private let device: MachineDevice
    private let sessions: VhostUserSessions
    private var socket: FileDescriptor?
    private let isListening: Bool
    private var thread: Thread?

    /// - Parameter isListening: `socket` is not the connection, but what the front-end connects to.
    init(
        _ device: MachineDevice, _ socket: consuming FileDescriptor, isListening: Bool, of sessions: VhostUserSessions
    ) {
        self.device = device
        self.sessions = sessions
        self.socket = consume socket
        self.isListening = isListening
    }

    /// Serves on a thread of its own, until ``join()``.
    func start() throws(VMMError) {
        do {
            thread = try Thread(named: "vhost-user") { [self] in serve() }
        } catch {
            throw .prepare(operation: "\(device.title)'s thread", error)
        }
    }

    /// Serves until QEMU hangs up; any other end is reported to the sessions.
    func serve() {
        guard let connection = connect() else { return }
        let (title, isVital, sessions) = (device.title, device.isVital, sessions)
        do {
            // QEMU itself makes what a network's driver reads.
            let backend = try Backend(
                device: device.device, connection: connection, offersConfiguration: device.device.type != .network
            ) { error in
                if isVital { sessions.fail(.device(title, .broken(error))) }
            }
            try backend.serve()
        } catch {
            sessions.fail(.device(title, .connection(error)))
        }
    }

    private func connect() -> FileDescriptor? {
        guard let socket = socket.take() else { return nil }
        guard isListening else { return socket }
        do throws(VMMError) {
            let connection = try preparing(device.title, try UnixSocket.accept(socket.borrowed))
            // There is another descriptor of it: only so is the next one refused.
            try preparing(device.title, try UnixSocket.shutdownReading(socket.borrowed))
            try sessions.watch(connection, device.title)
            return connection
        } catch {
            sessions.fail(error)
            return nil
        }
    }

    /// Waits for the end of the thread.
    func join() { thread.take()?.join() }
}

/// A connection to be hung up on by any thread.
private final class Connection: Sendable {
    private let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    func hangUp() {
        // The other end may have done so already.
        try? UnixSocket.shutdownReading(descriptor.borrowed)
        try? UnixSocket.shutdownWriting(descriptor.borrowed)
    }
}
