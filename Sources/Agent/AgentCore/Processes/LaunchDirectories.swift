// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// Directories that a container's first process opens in its own mount namespace: mounts can be copied and
/// attached only within the namespace they belong to. They stay open until exec.
struct LaunchDirectories {
    let sharedDirectory: BorrowedDescriptor
    let rootMountPoint: BorrowedDescriptor
    /// The container's own cgroup.
    let cgroup: BorrowedDescriptor
    /// /proc/sys of the guest, which shows each process its own namespaces' parameters.
    let kernelParameters: BorrowedDescriptor

    init(of settings: AgentSettings, container: String) throws(LaunchFailure) {
        func open(_ path: String) throws(LaunchFailure) -> BorrowedDescriptor {
            try step(.prepare, "open \(path)", try FileDescriptor.open(path, [.path, .directory])).release()
        }
        sharedDirectory = try open(settings.sharedDirectory)
        rootMountPoint = try open(settings.rootMountPoint)
        cgroup = try open(settings.cgroupDirectory + "/" + GuestCgroup.name(of: container))
        kernelParameters = try open("/proc/sys")
    }

    /// Enters the container's cgroup.
    func enterCgroup() throws(LaunchFailure) {
        try step(.prepare, "enter the cgroup") { () throws(Errno) in
            // 0 means the writing process, cgroups(7).
            try FileDescriptor.open("cgroup.procs", at: cgroup, .writeOnly).writeAll(Array("0".utf8))
        }
    }
}
