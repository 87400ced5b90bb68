import Cgroup
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

/// Open lists of processes, one for each directory of a cgroup.
struct CgroupDescriptors: ~Copyable {
    let numbers: [Int32]

    deinit {
        for number in numbers { _ = FileDescriptor(owning: number) }
    }
}

extension Runtime {
    /// Makes the host's cgroup of a sandbox: the document's path, or the container's id below the root as runc
    /// has it; the document's limits, and room for the machine itself. In a pod the sandbox's document speaks of its
    /// own container, which may be next to nothing: processor time is limited there by what is said of the pod.
    func makeCgroup(
        _ spec: Spec, _ plan: BundlePlan, _ pod: PodResources?, _ record: inout ContainerRecord
    ) throws(RuntimeError) -> CgroupDescriptors {
        var limits = CgroupLimits()
        limits.memoryByteCount = record.machine?.memoryLimit
        limits.cpuShares = pod == nil ? plan.limits.cpuShares : pod?.cpuShares
        limits.cpuQuota = pod == nil ? plan.limits.cpuQuota : pod?.cpuQuota
        limits.cpuPeriod = pod == nil ? plan.limits.cpuPeriod : pod?.cpuPeriod
        limits.processors = plan.limits.cpus.isEmpty ? nil : plan.limits.cpus
        limits.memoryNodes = plan.limits.memoryNodes.isEmpty ? nil : plan.limits.memoryNodes
        let path = spec.linux?.cgroupsPath ?? ""
        let id = record.id
        do {
            let cgroup = try HostCgroup.create(path: path.isEmpty ? "/\(id)" : path, limits: limits)
            record.cgroupDirectories = cgroup.directories
            record.madeCgroupDirectories = cgroup.made
            return CgroupDescriptors(numbers: try cgroup.openProcessLists())
        } catch {
            throw .cgroup(error)
        }
    }

    /// Opens the lists of processes of the sandbox's cgroup.
    func openCgroups(of record: ContainerRecord) throws(RuntimeError) -> CgroupDescriptors {
        let cgroup = HostCgroup(directories: record.cgroupDirectories, made: [])
        return CgroupDescriptors(
            numbers: try wrapping(RuntimeError.cgroup) { () throws(CgroupError) in try cgroup.openProcessLists() })
    }

    /// Ends what is left in the sandbox's cgroup and takes it away.
    func removeCgroups(_ record: ContainerRecord) throws(RuntimeError) {
        let cgroup = HostCgroup(directories: record.cgroupDirectories, made: record.madeCgroupDirectories)
        try wrapping(RuntimeError.cgroup) { () throws(CgroupError) in try cgroup.remove() }
    }
}
