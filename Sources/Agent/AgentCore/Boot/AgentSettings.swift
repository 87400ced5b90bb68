// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// Where on the guest's file systems the agent works, and what processes get by default. Tests give other places.
public struct AgentSettings: Sendable {
    /// The shared directory tree that roots and volumes come from.
    public var sharedDirectory: String
    /// An empty directory that each container's root is attached to, in its own mount namespace.
    public var rootMountPoint: String
    /// The cgroup v2 directory that the containers' cgroups are made in.
    public var cgroupDirectory: String
    /// Where the agent listens in the place of the host's sockets; made when it is needed.
    public var socketDirectory = "/run/fc/sockets"
    /// A cgroup v2 directory to be, beside those of containers: what it is charged with are their programs. nil: none.
    public var programsDirectory: String?
    /// The kernel's list of block devices, sysfs(5).
    public var blockDevices = "/sys/block"
    /// Where the block devices' nodes are.
    public var deviceNodes = "/dev"
    /// What a process gets where its plan says nothing, in the place of the agent's own limits.
    public var defaultLimits: [ResourceLimit] = []

    /// Everything else is as in a guest, without limits of its own.
    public init(sharedDirectory: String, rootMountPoint: String, cgroupDirectory: String) {
        self.sharedDirectory = sharedDirectory
        self.rootMountPoint = rootMountPoint
        self.cgroupDirectory = cgroupDirectory
    }
}
