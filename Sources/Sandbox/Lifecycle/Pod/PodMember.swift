// SPDX-License-Identifier: Apache-2.0
import AgentClient
import Cgroup
import Linux
import RuntimeState

/// A container as one of those that run in a machine: how it enters the machine's books and is taken out of them, and out of
/// its guest, again.
struct PodMember {
    private let runtime: Runtime
    private let record: ContainerRecord
    private let files: MachineFiles

    init(_ runtime: Runtime, _ record: ContainerRecord) {
        self.runtime = runtime
        self.record = record
        files = runtime.files(of: record)
    }

    /// Enters the container in the books of its machine, with the bytes of memory that it may use; nil: no limit.
    func join(memoryLimit: UInt64?) throws(RuntimeError) {
        try changeMachine { $0.members[record.id] = memoryLimit ?? 0 }
    }

    /// The container's limit has changed, as ``join(memoryLimit:)``.
    func update(memoryLimit: UInt64?) throws(RuntimeError) { try join(memoryLimit: memoryLimit) }

    /// Ends the container, whatever it does, and with it nothing else. A guest that does not let it end loses its machine.
    func end() throws(RuntimeError) {
        // With its fc-proxy goes the connection that it lives by.
        if let process = record.process { try process.end(of: record.id) }
        record.endStandIn()
        guard record.supervisor?.isAlive == true else { return }
        do throws(RuntimeError) {
            // One try more: the others of the machine are not to pay for a passing fault.
            do throws(RuntimeError) { try deleteInGuest() } catch { try deleteInGuest() }
        } catch {
            guard let supervisor = record.supervisor, supervisor.isAlive else { return }
            runtime.log(
                .warning, "the guest does not end container \(record.id) (\(error)): ending its virtual machine")
            try supervisor.end(of: record.sandboxID)
        }
    }

    /// Takes what is left of the container out of its machine.
    func leave() throws(RuntimeError) {
        do throws(RuntimeError) {
            guard let supervisor = record.supervisor, supervisor.isAlive else { return }
            try withdraw(share: record.shareName)
            try changeMachine { $0.members[record.id] = nil }
        } catch {
            // With the machine goes all that was to be taken out of it. Its supervisor is the last to end.
            guard let supervisor = record.supervisor?.open() else { return }
            if (try? supervisor.awaitEnd(of: record.sandboxID, .seconds(2))) == nil { throw error }
        }
    }

    /// Takes the container out of its guest, which forgets what it was shown of the host at `share`.
    func withdraw(share: String?) throws(RuntimeError) {
        do throws(RuntimeError) {
            try deleteInGuest()
        } catch {
            runtime.log(.warning, "container \(record.id) stays in its guest: \(error)")
        }
        guard let share else { return }
        try FileServer(files, supervisor: record.supervisor, of: record.sandboxID).detach(share)
        if let connection = try? files.connect(timeout: AgentConnection.killTimeout) {
            _ = try? connection.ask(.forgetShare(name: share), timeout: AgentConnection.killTimeout)
        }
    }

    private func deleteInGuest() throws(RuntimeError) {
        do throws(RuntimeError) {
            try files.connect(timeout: AgentConnection.killTimeout)
                .ask(.delete(container: record.id, force: true), timeout: AgentConnection.killTimeout)
        } catch .refused(let message) where message == RuntimeStateError.doesNotExist.description {
            return
        }
    }

    /// Changes what is kept of the machine, and the host's limit on it accordingly.
    private func changeMachine(_ change: (inout MachineRecord) -> Void) throws(RuntimeError) {
        func failure(_ error: RuntimeStateError) -> RuntimeError {
            error == .doesNotExist ? .sandboxGone(record.sandboxID) : .state(error)
        }
        var sandbox = try wrapping(failure, runtime.states.lockMachine(of: record))
        // Another sandbox may have the name by now.
        guard var machine = sandbox.record.machine, sandbox.record.supervisor == record.supervisor,
            record.supervisor?.isAlive == true
        else { throw .sandboxGone(record.sandboxID) }
        let old = machine.memoryLimit
        change(&machine)
        let (changed, limit) = (machine, machine.memoryLimit)
        let cgroup = sandbox.record.cgroup
        if let limit, let old, limit > old { try Self.limitMemory(of: cgroup, to: limit) }
        try wrapping(RuntimeError.state, sandbox.update { $0.machine = changed })
        // The kernel may refuse less than what is in use, which does no harm.
        if let limit, let old, limit < old { try? Self.limitMemory(of: cgroup, to: limit) }
    }

    private static func limitMemory(of cgroup: HostCgroup, to byteCount: UInt64) throws(RuntimeError) {
        var limits = CgroupLimits()
        limits.memoryByteCount = byteCount
        try wrapping(RuntimeError.cgroup, cgroup.update(limits))
    }
}
