// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
public import Linux
import SandboxPlan

/// The agent: containers, the connections that speak of them, and one loop over it all.
public final class Agent {
    /// How many control connections there may be.
    private static let connectionLimit = 1024

    let loop: EventLoop
    let settings: AgentSettings
    let streams: StreamTable
    let sockets: ContainerSockets
    /// The directory the containers' cgroups are made in.
    let cgroups: FileDescriptor
    /// Open on the shared tree, to have it written out.
    private let shared: FileDescriptor
    var containers: [String: Container] = [:]
    /// Every process that was started and not reaped, by pid.
    var processes: [Int32: (container: String, process: GuestProcess)] = [:]
    let programs: ProgramCache?
    let network = GuestNetwork()
    var resolver: GuestResolver?
    private var connections: [ObjectIdentifier: ControlConnection] = [:]
    private let signals: SignalDescriptor
    private let controlListener: FileDescriptor
    private let streamListener: FileDescriptor
    /// A process that is PID 1 for containers that have no pid namespace of their own.
    var sharedPIDNamespace: FileDescriptor?
    /// A container has, or had, its root on a disk.
    var hasDisks = false
    /// The connection that asked for the guest's end.
    private var shutdownReply: Reply?

    /// - Parameters:
    ///   - control: a listening socket that does not block, for control connections; with `streams` for those of
    ///     streams. Of vsock sockets only the host is let in.
    /// - Throws: the Errno of whatever of `settings` cannot be opened.
    public init(
        control: consuming FileDescriptor, streams: consuming FileDescriptor, settings: AgentSettings
    ) throws(Errno) {
        loop = try EventLoop()
        self.settings = settings
        programs = settings.programsDirectory.map { ProgramCache(directory: $0) }
        self.streams = StreamTable(loop)
        sockets = ContainerSockets(loop, directory: settings.socketDirectory)
        cgroups = try FileDescriptor.open(settings.cgroupDirectory, .directory)
        shared = try FileDescriptor.open(settings.sharedDirectory, .directory)
        signals = try SignalDescriptor()
        controlListener = control
        streamListener = streams
        _ = try loop.watch(signals.descriptor.borrowed, .readable) { [unowned self] _ in reap() }
        _ = try loop.watch(controlListener.borrowed, .readable) { [unowned self] _ in
            if let socket = accept(controlListener.borrowed) { connect(socket) }
        }
        _ = try loop.watch(streamListener.borrowed, .readable) { [unowned self] _ in
            if let socket = accept(streamListener.borrowed) { self.streams.accept(socket) }
        }
    }

    /// Serves until the host asks for the end.
    public func run() throws(Errno) {
        while shutdownReply == nil { try loop.turn() }
        for container in containers.values { container.kill() }
        // The dying write their last, and what they write is on the host before the machine goes.
        let dying = Deadline(after: .seconds(2))
        while containers.values.contains(where: { $0.state != .stopped }), !dying.hasPassed {
            try loop.turn(milliseconds: 50)
        }
        writeOut()
        shutdownReply?.send(.done)
        // The answer is still on its way through the device: the host hangs up when it has it.
        let leaving = Deadline(after: .milliseconds(500))
        while shutdownReply?.connection?.isOpen == true, !leaving.hasPassed { try loop.turn(milliseconds: 50) }
    }

    func requestShutdown(_ reply: Reply) {
        shutdownReply = reply
    }

    /// Writes what containers wrote to the shared tree, and to disks, through to the host. A disk was unmounted with its
    /// container, unless another process still holds a file of it.
    func writeOut() {
        if hasDisks { try? FileNode.synchronizeAll() }
        try? FileNode.synchronize(shared.borrowed)
    }

    /// mkdir(2) at the top of the shared tree, which the host refuses.
    func makeNameInSharedTree(_ name: String) {
        try? Directory.make(name, at: shared.borrowed)
    }

    /// Says something to every host process.
    func announce(_ answer: Answer) {
        for connection in connections.values where connection.isGreeted {
            connection.send(AnswerMessage(id: 0, answer: answer))
        }
    }

    // MARK: Connections

    private func accept(_ listener: BorrowedDescriptor) -> FileDescriptor? {
        guard let socket = try? UnixSocket.accept(listener, nonBlocking: true) else { return nil }
        // A container can open vsock sockets too; it is not the host.
        do {
            if let peer = try VsockSocket.peerCID(of: socket.borrowed), peer != VsockSocket.hostCID { return nil }
            return socket
        } catch {
            return nil
        }
    }

    private func connect(_ socket: consuming FileDescriptor) {
        guard connections.count < Self.connectionLimit else { return }
        let connection = try? ControlConnection(
            loop, socket: socket,
            whenAsked: { [unowned self] connection, message in
                handle(message.request, Reply(connection: connection, id: message.id))
            },
            whenClosed: { [unowned self] connection in disconnected(connection) })
        if let connection { connections[ObjectIdentifier(connection)] = connection }
    }

    /// What a host process owned ends with it.
    private func disconnected(_ connection: ControlConnection) {
        connections[ObjectIdentifier(connection)] = nil
        for container in containers.values {
            for process in container.processes where process.isOwned && process.owner === connection {
                if process === container.first { container.kill() } else { process.kill() }
                if process.hasEnded, let exec = process.name.exec { container.execs[exec] = nil }
            }
        }
    }

    // MARK: Ends

    /// Reaps processes that have ended: the agent's own and, as the guest's PID 1, all orphans.
    private func reap() {
        while signals.next() != nil {}
        while let (pid, status) = try? Process.wait(blocks: false) {
            programs?.reaped(pid)
            guard let (id, process) = processes.removeValue(forKey: pid) else { continue }
            process.ended(status)
            guard let container = containers[id] else { continue }
            if process === container.first {
                // With its pid namespace everybody else has gone; without one of its own they go now.
                if container.cgroup.isPopulated { container.kill() }
            }
            settle(process, in: container)
        }
    }

    /// Tells of a process's end, if it has come to that.
    func settle(_ process: GuestProcess, in container: Container) {
        guard case .reaped(let status, let stage) = process.state else { return }
        let isFirst = process === container.first
        if isFirst {
            guard !container.cgroup.isPopulated else { return }
            writeOut()
        }
        process.streams.processHasEnded()
        // Before the end is announced: a host process that hears of the end stops listening.
        tellOutOfMemory(container)
        let exit = exit(of: process, status, in: container)
        // What never came to be leaves nothing behind, so that its name is free when the host hears of it.
        if case .launching = stage {
            if let exec = process.name.exec { container.execs[exec] = nil } else { forget(container) }
        }
        let isTold = process.tell(exit)
        if isTold, let exec = process.name.exec { container.execs[exec] = nil }
        if isFirst { finishDelete(of: container) }
    }

    private func exit(of process: GuestProcess, _ status: Process.ExitStatus, in container: Container) -> ProcessExit {
        var exit = ProcessExit(
            status: status.wire, ranOutOfMemory: container.cgroup.outOfMemoryCount > process.outOfMemoryCount)
        (exit.outputByteCount, exit.errorByteCount) = process.streams.takeStock()
        if case .signaled(let signal) = status { exit.wasRequested = process.requestedSignals.contains(signal) }
        return exit
    }

    /// Removes what is left of a container that has stopped.
    func forget(_ container: Container) {
        container.pressure?.stop()
        container.pressure = nil
        for file in container.watchedFiles { file.stop() }
        container.watchedFiles = []
        sockets.forget(container.id)
        containers[container.id] = nil
        try? container.cgroup.remove()
    }

    func finishDelete(of container: Container) {
        guard container.state == .stopped, !container.deleteReplies.isEmpty else { return }
        forget(container)
        for reply in container.deleteReplies { reply.send(.done) }
        container.deleteReplies = []
    }
}
