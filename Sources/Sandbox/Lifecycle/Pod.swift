import AgentProtocol
import Cgroup
import Linux
import OCISpec
public import Planning
import RuntimeState
import SandboxPlan

/// Containers that run in the machine of another, their pod's sandbox.
extension Runtime {
    /// How the container of the bundle at `path` stands to others; of its document only that is looked at.
    public func podRole(ofBundle path: String) throws(RuntimeError) -> PodRole {
        let file = path + "/config.json"
        let bytes = try wrapping({ .configuration(path: file, $0) }) { () throws(Errno) in
            try FileDescriptor.open(file, .nonBlocking).readAll(limit: Spec.byteLimit)
        }
        let spec = try wrapping(RuntimeError.spec) { () throws(SpecError) in try Spec.parse(bytes) }
        return try role(spec)
    }

    /// The id of the container in whose machine that of `id` runs: its own, where it is alone.
    public func sandbox(of id: String) throws(RuntimeError) -> String {
        try record(containerID(id)).sandboxID
    }

    func role(_ spec: Spec) throws(RuntimeError) -> PodRole {
        try wrapping(RuntimeError.planning) { () throws(PlanningError) in
            try PodRole(annotations: spec.annotations)
        }
    }

    /// The machine that the container of `record` runs in; nil for one that an earlier version made.
    func machine(of record: ContainerRecord) throws(RuntimeError) -> MachineRecord? {
        record.isMember ? try self.record(containerID(record.sandboxID)).machine : record.machine
    }

    /// The sandbox that members call `name`.
    ///
    /// - Throws: what is wrong with it: it is not there, does not run, is no sandbox, or the asker itself.
    func sandbox(named name: String, for id: ContainerID) throws(RuntimeError) -> ContainerRecord {
        guard name != id.rawValue else { throw .sandbox(name, problem: .isTheContainer) }
        var found: ContainerRecord?
        do {
            found = try states.record(of: containerID(name))
        } catch let error as RuntimeStateError {
            guard error == .doesNotExist else { throw .state(error) }
            found = try sandbox(ofPod: name)
        } catch {
            throw .sandbox(name, problem: .isMissing)
        }
        guard let sandbox = found else { throw .sandbox(name, problem: .isMissing) }
        if sandbox.isMember { throw .sandbox(name, problem: .isMember(of: sandbox.sandboxID)) }
        guard case .sandbox = (try? PodRole(annotations: sandbox.annotations)) ?? .alone else {
            throw .sandbox(name, problem: .isAlone)
        }
        let status = sandbox.currentStatus
        guard [.created, .running, .paused].contains(status), sandbox.machine?.isShared == true else {
            throw .sandbox(name, problem: .isNotRunning(status))
        }
        return sandbox
    }

    /// podman names the pod, which is no container.
    private func sandbox(ofPod name: String) throws(RuntimeError) -> ContainerRecord? {
        let summaries = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try states.summaries() }
        let sandboxes = summaries.compactMap { summary -> ContainerRecord? in
            if case .container(let record) = summary, record.machine?.podName == name { record } else { nil }
        }
        return sandboxes.first { $0.currentStatus != .stopped } ?? sandboxes.first
    }

    /// Enters the container of `record` in the books of `sandbox`, and shows the sandbox's guest what the container is
    /// to see. What was done is noted before it is done.
    func join(
        _ sandbox: ContainerRecord, _ bundle: Bundle, _ plan: BundlePlan, _ record: inout ContainerRecord,
        _ directory: borrowing ContainerDirectory
    ) throws(RuntimeError) {
        let limit = plan.limits.memoryByteCount
        if let limit, let machine = sandbox.machine { try Self.check(memoryLimit: limit, fits: machine) }
        try note(record, directory)
        let id = record.id
        try changeMachine(of: record) { $0.members[id] = limit ?? 0 }
        try makeMemberCgroup(bundle.spec, &record)
        try note(record, directory)
        let tree = try SharedTree(plan.shares)
        try FileServerShares(of: record, sandboxFiles(record)).attach(tree)
    }

    /// A member's processes on the host are those that stand for the guest's: nothing is limited there.
    private func makeMemberCgroup(_ spec: Spec, _ record: inout ContainerRecord) throws(RuntimeError) {
        let path = spec.linux?.cgroupsPath ?? ""
        let id = record.id
        let cgroup = try wrapping(RuntimeError.cgroup) { () throws(CgroupError) in
            try HostCgroup.create(path: path.isEmpty ? "/\(id)" : path, limits: CgroupLimits())
        }
        record.cgroupDirectories = cgroup.directories
        record.madeCgroupDirectories = cgroup.made
    }

    /// Ends a member, whatever it does, and with it nothing else. A guest that does not let it end loses its machine.
    func endMember(_ record: ContainerRecord) throws(RuntimeError) {
        // With its fc-proxy goes the connection that it lives by.
        if let process = record.process { try end(process, of: record.id) }
        guard record.supervisor?.isAlive == true else { return }
        do throws(RuntimeError) {
            try deleteInGuest(record)
        } catch {
            guard let supervisor = record.supervisor, supervisor.isAlive else { return }
            log(.warning, "the guest does not end container \(record.id) (\(error)): ending its virtual machine")
            try end(supervisor, of: record.sandboxID)
        }
    }

    /// Takes what is left of a member out of the sandbox.
    func leave(_ record: ContainerRecord) throws(RuntimeError) {
        do throws(RuntimeError) {
            guard let supervisor = record.supervisor, supervisor.isAlive else { return }
            do throws(RuntimeError) {
                try deleteInGuest(record)
            } catch {
                log(.warning, "container \(record.id) stays in its guest: \(error)")
            }
            if let name = record.shareName {
                try FileServerShares(of: record, sandboxFiles(record)).detach(name)
                let connection = try? connect(to: record, timeout: Self.killAnswerTimeout)
                if let connection {
                    _ = try? ask(connection, .forgetShare(name: name), timeout: Self.killAnswerTimeout)
                }
            }
            try changeMachine(of: record) { $0.members[record.id] = nil }
        } catch {
            // With the machine went all that was to be taken out of it.
            guard record.supervisor?.isAlive == true else { return }
            throw error
        }
    }

    private func deleteInGuest(_ record: ContainerRecord) throws(RuntimeError) {
        do throws(RuntimeError) {
            let connection = try connect(to: record, timeout: Self.killAnswerTimeout)
            try ask(connection, .delete(container: record.id, force: true), timeout: Self.killAnswerTimeout)
        } catch .refused(let message) where message == RuntimeStateError.doesNotExist.description {
            return
        }
    }

    /// A member's limits have changed.
    func updateMember(_ record: ContainerRecord, memoryLimit: UInt64?) throws(RuntimeError) {
        try changeMachine(of: record) { $0.members[record.id] = memoryLimit ?? 0 }
    }

    /// Changes what is kept of the machine that a member runs in, and the host's limit on it accordingly.
    private func changeMachine(
        of member: ContainerRecord, _ change: (inout MachineRecord) -> Void
    ) throws(RuntimeError) {
        func failure(_ error: RuntimeStateError) -> RuntimeError {
            error == .doesNotExist ? .sandboxGone(member.sandboxID) : .state(error)
        }
        let id = try containerID(member.sandboxID)
        let directory = try wrapping(failure) { () throws(RuntimeStateError) in try states.lock(id) }
        var record = try wrapping(failure) { () throws(RuntimeStateError) in try directory.record() }
        // Another sandbox may have the name by now.
        guard var machine = record.machine, record.supervisor == member.supervisor,
            record.supervisor?.isAlive == true
        else { throw .sandboxGone(member.sandboxID) }
        let old = machine.memoryLimit
        change(&machine)
        record.machine = machine
        let (changed, limit) = (record, machine.memoryLimit)
        if let limit, let old, limit > old { try limitMemory(of: changed, to: limit) }
        try note(changed, directory)
        // Less than what is in use cannot be had at once, and need not.
        if let limit, let old, limit < old { try? limitMemory(of: changed, to: limit) }
    }

    private func limitMemory(of sandbox: ContainerRecord, to byteCount: UInt64) throws(RuntimeError) {
        var limits = CgroupLimits()
        limits.memoryByteCount = byteCount
        let cgroup = HostCgroup(directories: sandbox.cgroupDirectories, made: [])
        try wrapping(RuntimeError.cgroup) { () throws(CgroupError) in try cgroup.update(limits) }
    }

    func sandboxFiles(_ record: ContainerRecord) -> SandboxFiles {
        SandboxFiles(directory: "\(options.root)/\(record.sandboxID)")
    }
}
