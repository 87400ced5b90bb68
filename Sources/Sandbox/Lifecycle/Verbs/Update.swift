// SPDX-License-Identifier: Apache-2.0
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
        let resources = try wrapping(RuntimeError.resources, Spec.Linux.Resources.parse(document))
        try update(id, resources: resources)
    }

    /// Changes a container's limits, in the guest and on the host, as create sets them.
    ///
    /// - Throws: `unsupportedResources` for limits that cannot be kept; `machineTooSmall` for more memory than the
    ///   virtual machine has.
    public func update(_ id: String, resources: Spec.Linux.Resources) throws(RuntimeError) {
        let container = try locked(id, for: .update)
        let record = container.record
        try wrapping(RuntimeError.resources, resources.check())
        let unsupported = resources.unsupportedFields()
        guard unsupported.isEmpty else { throw .unsupportedResources(unsupported) }

        let old = try currentResources(container)
        let new = old.updated(by: resources)
        let machine = try machine(of: record)
        if let limit = new.memory?.limit, limit > 0, let machine {
            try machine.check(memoryLimit: UInt64(limit))
        }
        let connection = try files(of: record).connect()
        let plan = try wrapping(RuntimeError.planning, ResourcePlan(new))
        try connection.ask(.update(container: record.id, resources: plan))
        do throws(RuntimeError) {
            try updateHost(record, new)
            try wrapping(RuntimeError.state, container.directory.write(new.encoded(), to: Self.resourcesName))
        } catch {
            // All of it or nothing; the first error is the one to tell.
            if let plan = try? ResourcePlan(old) {
                _ = try? connection.ask(.update(container: record.id, resources: plan))
            }
            throw error
        }
    }

    /// The limits that hold now.
    private func currentResources(_ container: borrowing LockedContainer) throws(RuntimeError) -> Spec.Linux.Resources {
        let bytes: [UInt8]
        do {
            bytes = try container.directory.read(Self.resourcesName)
        } catch .files(.open, _, .noSuchFile) {
            return try containerDocument(container.record).linux?.resources ?? Spec.Linux.Resources()
        } catch {
            throw .state(error)
        }
        return try wrapping(RuntimeError.resources, Spec.Linux.Resources.parse(bytes))
    }

    /// A container alone in its machine has its limits on the host too. In a pod the machine is everybody's.
    private func updateHost(_ record: ContainerRecord, _ resources: Spec.Linux.Resources) throws(RuntimeError) {
        if record.isMember {
            let limit = resources.memory?.limit.flatMap { $0 > 0 ? UInt64($0) : nil }
            return try PodMember(self, record).update(memoryLimit: limit)
        }
        guard record.machine?.isShared != true else { return }
        var limits = CgroupLimits(resources)
        if let limit = resources.memory?.limit, limit > 0, let machine = record.machine {
            limits.memoryByteCount = machine.memoryByteCount + machine.overheadByteCount
        }
        try wrapping(RuntimeError.cgroup, record.cgroup.update(limits))
    }
}
