// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Linux
import Planning
import RuntimeState

extension ContainerDirectory {
    /// As ``remove()``.
    consuming func delete() throws(RuntimeError) {
        do { try remove() } catch { throw .state(error) }
    }
}

/// The end of containers, whatever state they are in, and the removal of what they leave on the host.
struct Teardown {
    let runtime: Runtime

    init(_ runtime: Runtime) {
        self.runtime = runtime
    }

    /// Ends a container, and with a sandbox all containers that run in its machine.
    func end(_ record: ContainerRecord) throws(RuntimeError) {
        if record.isMember || outlives(record) {
            try PodMember(runtime, record).end()
        } else {
            try record.endSandbox()
        }
    }

    /// Takes away all that a container left on the host: its sandbox, or its part of another's, its cgroups, its
    /// directory.
    func remove(_ container: consuming LockedContainer) throws(RuntimeError) {
        let record = container.record
        // What the container wrote last is still handed over.
        if let server = record.socketServer, let descriptor = server.open() {
            try? descriptor.awaitEnd(of: record.id, .seconds(3))
        }
        record.endStandIn()
        if record.isMember {
            try PodMember(runtime, record).leave()
            try removeLeftMachine(of: record)
            try record.removeCgroups()
            return try container.takeDirectory().delete()
        }
        if outlives(record), try leaveToOthers(&container) { return }
        // The container's process went before its sandbox did, and the sandbox may still be about to.
        if let supervisor = record.supervisor, let descriptor = supervisor.open() {
            if (try? descriptor.awaitEnd(of: record.id, .seconds(2))) == nil { try record.endSandbox() }
        }
        try record.resolverServer?.end(of: record.id)
        DiskFiles.awaitRelease(record.machine?.writableDisks ?? [])
        SandboxNetwork.release(record)
        try record.removeCgroups()
        try container.takeDirectory().delete()
    }
}

/// A machine outlives the container that it was made for where others named that one's namespaces: podman stops all
/// containers of a pod at once, its infra container ends first, and the others have time to end as they should. A
/// sandbox that annotations tell of takes its machine with it.
extension Teardown {
    /// Whether others run in the machine of `record`'s container that stay when it goes.
    private func outlives(_ record: ContainerRecord) -> Bool {
        guard !record.isMember, let machine = record.machine, !machine.members.isEmpty,
            record.supervisor?.isAlive == true
        else { return false }
        if case .sandbox = (try? PodRole(annotations: record.annotations)) ?? .alone { return false }
        return true
    }

    /// Takes a container out of its machine, which is the others' from now on.
    ///
    /// - Returns: false where the machine ended meanwhile.
    private func leaveToOthers(_ container: inout LockedContainer) throws(RuntimeError) -> Bool {
        let record = container.record
        guard let supervisor = record.supervisor else { return false }
        do throws(RuntimeError) {
            try PodMember(runtime, record).withdraw(share: Launch.ownShareName)
            // The id may be taken again, and its cgroup with it.
            let moved = try wrapping(RuntimeError.cgroup, record.cgroup.moved(suffix: ".left-\(supervisor.pid)"))
            try wrapping(
                RuntimeError.state,
                container.update { left in
                    left.status = .stopped
                    left.process = nil
                    left.cgroupDirectories = moved.directories
                    left.madeCgroupDirectories = moved.made
                })
            try wrapping(RuntimeError.state, runtime.states.leave(container.directory, to: supervisor))
            return true
        } catch {
            guard supervisor.isAlive else { return false }
            throw error
        }
    }

    /// Takes away the machine that the container of `member` ran in, where its first container has gone, and no other
    /// is left in it.
    private func removeLeftMachine(of member: ContainerRecord) throws(RuntimeError) {
        let found = try wrapping(RuntimeError.state, runtime.states.lockLeftMachine(of: member))
        // A container that left at the same moment may have taken it away.
        guard let machine = found else { return }
        let record = machine.record
        guard record.supervisor?.isAlive != true || record.machine?.members.isEmpty != false else { return }
        if let supervisor = record.supervisor { try supervisor.end(of: record.id) }
        try record.resolverServer?.end(of: record.id)
        SandboxNetwork.release(record)
        try record.removeCgroups()
        try machine.takeDirectory().delete()
    }
}
