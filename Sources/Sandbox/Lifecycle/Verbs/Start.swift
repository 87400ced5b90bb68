// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import OCISpec
import RuntimeState
import SandboxPlan

extension Runtime {
    /// Runs the program of a created container.
    public func start(_ id: String) throws(RuntimeError) {
        var container = try locked(id, for: .start)
        try start(&container)
    }

    /// The same for a container whose directory is locked and whose state allows it.
    func start(_ container: inout LockedContainer) throws(RuntimeError) {
        let connection = try files(of: container.record).connect()
        // Clients wire the network after create, too.
        try SandboxNetwork.tell(try carriedNetwork(&container), by: connection, of: &container)
        let record = container.record
        let spec = try containerDocument(record)
        try endIfItFails(record) { () throws(RuntimeError) in try runStartHooks(of: record, spec) }
        try connection.ask(.start(container: record.id))
        try wrapping(RuntimeError.state, container.update { $0.status = .running })
        try endIfItFails(record) { () throws(RuntimeError) in
            if let problem = Self.runHooks(.poststart, of: record, spec, pid: record.process?.pid ?? 0) {
                throw .hook(problem)
            }
        }
    }

    /// What the container's namespace has that its machine has not yet; nil where that is nothing.
    private func carriedNetwork(_ container: inout LockedContainer) throws(RuntimeError) -> NetworkPlan? {
        guard !container.record.isMember, let holder = container.record.standIn else { return nil }
        let path = "/proc/\(container.record.process?.pid ?? holder.pid)/ns/net"
        let namespace = try wrapping(
            { .networkNamespace(path: path, $0) }, FileDescriptor.open("/proc/\(holder.pid)/ns/net"))
        // Looked at when the namespace is open: until then the number may have become another process's.
        guard holder.isAlive else { throw .networkNamespace(path: path, .noSuchProcess) }
        let network = try SandboxNetwork(files(of: container.record), path: path)
            .carry(namespace.borrowed, of: &container)
        _ = consume namespace
        return network
    }

    /// A container whose hook fails has not started, and is ended.
    private func endIfItFails(
        _ record: ContainerRecord, _ runHooks: () throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        do throws(RuntimeError) { try runHooks() } catch {
            do throws(RuntimeError) {
                try kill(record.id, signal: SIGKILL)
            } catch let failure {
                log(.warning, "end the container after a hook has failed: \(failure)")
            }
            throw error
        }
    }

    func containerID(_ id: String) throws(RuntimeError) -> ContainerID {
        try wrapping(RuntimeError.state, ContainerID(id))
    }

    /// The container, locked, in a state that allows `verb`.
    func locked(_ id: String, for verb: Verb) throws(RuntimeError) -> LockedContainer {
        let id = try containerID(id)
        let container = try wrapping(RuntimeError.state, states.lockContainer(id))
        try check(verb, container.record)
        return container
    }

    func record(_ id: ContainerID) throws(RuntimeError) -> ContainerRecord {
        try wrapping(RuntimeError.state, states.record(of: id))
    }

    func check(_ verb: Verb, _ record: ContainerRecord) throws(RuntimeError) {
        let id = try containerID(record.id)
        try wrapping(RuntimeError.state, Lifecycle.check(verb, of: id, in: record.currentStatus))
    }
}
