import AgentProtocol
import Cgroup
import Linux
public import OCISpec
import Planning
import RuntimeState
import SandboxPlan

extension Runtime {
    /// The limits as they are since the last update; where there was none, the document has them.
    static let resourcesName = "resources.json"

    /// Changes a container's limits to those that `document` names, an object as the runtime-spec's `linux.resources`;
    /// what is absent or 0 there stays as it is. See ``update(_:resources:)``.
    public func update(_ id: String, document: [UInt8]) throws(RuntimeError) {
        let resources = try wrapping(RuntimeError.resources) { () throws(SpecError) in
            try Spec.Linux.Resources.parse(document)
        }
        try update(id, resources: resources)
    }

    /// Changes a container's limits, in the guest and on the host, as create sets them.
    ///
    /// - Throws: `unhonouredResources` for limits that cannot be kept; `machineTooSmall` for more memory than the
    ///   virtual machine has.
    public func update(_ id: String, resources: Spec.Linux.Resources) throws(RuntimeError) {
        let directory = try locked(containerID(id))
        let record = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.record() }
        try check(.update, record)
        try wrapping(RuntimeError.resources) { () throws(SpecError) in try resources.check() }
        let unhonoured = resources.unhonoured()
        guard unhonoured.isEmpty else { throw .unhonouredResources(unhonoured) }

        let old = try currentResources(record, directory)
        let new = old.updated(by: resources)
        let machine = try machine(of: record)
        if let limit = new.memory?.limit, limit > 0, let machine {
            try Self.check(memoryLimit: UInt64(limit), fits: machine)
        }
        let connection = try connect(to: record)
        let plan = try wrapping(RuntimeError.planning) { () throws(PlanningError) in try ResourcePlan(new) }
        try ask(connection, .update(container: record.id, resources: plan))
        do throws(RuntimeError) {
            try updateHost(record, new)
            try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
                try directory.write(new.encoded(), to: Self.resourcesName)
            }
        } catch {
            // All of it or nothing; the first error is the one to tell.
            if let plan = try? ResourcePlan(old) {
                _ = try? ask(connection, .update(container: record.id, resources: plan))
            }
            throw error
        }
    }

    /// The limits that hold now.
    private func currentResources(
        _ record: ContainerRecord, _ directory: borrowing ContainerDirectory
    ) throws(RuntimeError) -> Spec.Linux.Resources {
        let bytes: [UInt8]
        do {
            bytes = try directory.read(Self.resourcesName)
        } catch .files(.open, _, .noSuchFile) {
            return try containerDocument(record).linux?.resources ?? Spec.Linux.Resources()
        } catch {
            throw .state(error)
        }
        return try wrapping(RuntimeError.resources) { () throws(SpecError) in
            try Spec.Linux.Resources.parse(bytes)
        }
    }

    /// A container alone in its machine has its limits on the host too. In a pod the machine is everybody's.
    private func updateHost(_ record: ContainerRecord, _ resources: Spec.Linux.Resources) throws(RuntimeError) {
        if record.isMember {
            return try updateMember(record, memoryLimit: resources.memory?.limit.flatMap { $0 > 0 ? UInt64($0) : nil })
        }
        guard record.machine?.isShared != true else { return }
        var limits = CgroupLimits()
        limits.cpuShares = resources.cpu?.shares
        limits.cpuQuota = resources.cpu?.quota
        limits.cpuPeriod = resources.cpu?.period
        limits.processors = resources.cpu.flatMap { $0.cpus.isEmpty ? nil : $0.cpus }
        if let limit = resources.memory?.limit, limit > 0, let machine = record.machine {
            limits.memoryByteCount = machine.memoryByteCount + machine.overheadByteCount
        }
        limits.memoryNodes = resources.cpu.flatMap { $0.mems.isEmpty ? nil : $0.mems }
        let cgroup = HostCgroup(directories: record.cgroupDirectories, made: [])
        try wrapping(RuntimeError.cgroup) { () throws(CgroupError) in try cgroup.update(limits) }
    }

    /// A container may not be given more memory than its machine has.
    static func check(memoryLimit: UInt64, fits machine: MachineRecord) throws(RuntimeError) {
        let most = machine.memoryByteCount - min(guestOwnByteCount, machine.memoryByteCount)
        guard memoryLimit <= most else { throw .machineTooSmall(wanted: memoryLimit, available: most) }
    }
}
