// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

/// The sandbox that a container is made in, decided upon before anything of it is there.
enum Sandbox {
    /// A machine of the container's own, made by a source.
    case new(MachineSource, MachineSize, PodResources?)
    /// The machine of others, which runs.
    case running(RunningSandbox)

    /// What the container's cgroup is limited to. In the machine of others its processes on the host are those that
    /// stand for the guest's: nothing is limited there.
    func limits(_ document: Spec.Linux.Resources?) -> CgroupLimits {
        switch self {
        case .new(_, let size, let pod): CgroupLimits(document, pod, memoryByteCount: size.record.memoryLimit)
        case .running: CgroupLimits()
        }
    }
}

extension Launch {
    /// Enters the container in the books of its machine, and makes its cgroup: from here on the machine is, or is going
    /// to be, its sandbox.
    func claim(_ container: inout LockedContainer) throws(RuntimeError) -> CgroupDescriptors {
        if case .running(let running) = sandbox {
            let limit = plan.limits.memoryByteCount
            if let limit { try running.record.machine?.check(memoryLimit: limit) }
            try PodMember(runtime, container.record).join(memoryLimit: limit)
        }
        try container.makeCgroup(bundle.spec.linux?.cgroupsPath, sandbox.limits(bundle.spec.linux?.resources))
        return try CgroupDescriptors(of: container.record)
    }

    /// The machine, jailed: made now, or one that runs.
    func machine(
        for container: inout LockedContainer, cgroups: borrowing CgroupDescriptors, network: BorrowedDescriptor
    ) throws(RuntimeError) -> Machine {
        let files = runtime.files(of: container.record)
        switch sandbox {
        case .new(let source, let size, _):
            let machine = try source.make(
                MachineOrder(
                    id: container.record.id, plan: size.plan, bundle: plan, files: files,
                    cgroups: cgroups.lists.borrowed, network: network, parts: runtime.options.parts,
                    bootTimeoutSeconds: runtime.options.bootTimeoutSeconds))
            let supervisor = machine.supervisor
            try wrapping(RuntimeError.state, container.update { $0.supervisor = supervisor })
            return machine
        case .running(let running):
            guard let supervisor = running.record.supervisor else { throw .sandboxGone(running.record.id) }
            return Machine(
                id: running.record.id, files: files, supervisor: supervisor,
                lifeline: running.goesWithSandbox ? nil : try files.openLifeline(of: running.record.id),
                guest: .running)
        }
    }
}
