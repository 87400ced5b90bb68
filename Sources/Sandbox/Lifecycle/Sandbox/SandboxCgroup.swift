// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Linux
import OCISpec
import Planning
import RuntimeState

/// Open lists of processes, one for each directory of a cgroup.
struct CgroupDescriptors: ~Copyable {
    let lists: DescriptorList

    /// Those of the container's cgroup.
    init(of record: ContainerRecord) throws(RuntimeError) {
        lists = try wrapping(RuntimeError.cgroup, record.cgroup.openProcessLists())
    }
}

extension CgroupLimits {
    /// A document's limits on the host, with `memoryByteCount` for the whole machine. In a pod the sandbox's document
    /// speaks of its own container, which may be next to nothing: processor time is limited there by what is said of the
    /// pod.
    init(_ document: Spec.Linux.Resources?, _ pod: PodResources?, memoryByteCount: UInt64?) {
        self.init(document)
        self.memoryByteCount = memoryByteCount
        if let pod {
            cpuShares = pod.cpuShares
            cpuQuota = pod.cpuQuota
            cpuPeriod = pod.cpuPeriod
        }
    }
}

extension LockedContainer {
    /// Makes the container's cgroup on the host: at the document's path, or at its id below the root as runc has it. What
    /// will be made is noted before, and what was made after: whatever ends this process, `delete` takes it away.
    mutating func makeCgroup(_ path: String?, _ limits: CgroupLimits) throws(RuntimeError) {
        let path = path.flatMap { $0.isEmpty ? nil : $0 } ?? "/\(record.id)"
        var planned: [String] = []
        var attempts = 10
        while true {
            let missing = try wrapping(RuntimeError.cgroup, HostCgroup.missing(path: path))
            planned += missing.filter { !planned.contains($0) }
            let noted = planned
            try wrapping(RuntimeError.state, update { $0.plannedCgroupDirectories = noted })
            let cgroup: HostCgroup
            do {
                cgroup = try HostCgroup.create(path: path, limits: limits)
            } catch {
                attempts -= 1
                guard error.isVanishedDirectory, attempts > 0 else { throw .cgroup(error) }
                continue
            }
            return try wrapping(
                RuntimeError.state,
                update { record in
                    record.cgroupDirectories = cgroup.directories
                    record.madeCgroupDirectories = cgroup.made
                    record.plannedCgroupDirectories = nil
                })
        }
    }
}

extension ContainerRecord {
    /// Its cgroup on the host.
    var cgroup: HostCgroup { HostCgroup(directories: cgroupDirectories, made: madeCgroupDirectories) }

    /// Opens the directory of its memory controller; nil where it is not there.
    func openMemoryCgroup() -> FileDescriptor? {
        cgroup.memoryDirectory.flatMap { try? FileDescriptor.open($0, .directory) }
    }

    /// Ends what is left in its cgroup and takes it away.
    func removeCgroups() throws(RuntimeError) {
        try wrapping(RuntimeError.cgroup) { () throws(CgroupError) in
            try cgroup.remove()
            try HostCgroup.removeEmpty(plannedCgroupDirectories ?? [])
        }
    }
}
