import Linux
public import SandboxPlan

/// Where on the guest's file systems the agent works. On a development machine these are other places.
public struct AgentGround: Sendable {
    /// The shared directory tree that roots and volumes come from.
    public var sharedDirectory: String
    /// An empty directory that each container's root is attached to, in its own mount namespace.
    public var rootMountPoint: String
    /// The cgroup v2 directory that the containers' cgroups are made in.
    public var cgroupDirectory: String
    /// The kernel's list of block devices, sysfs(5), and where their nodes are.
    public var blockDevices = "/sys/block"
    public var deviceNodes = "/dev"
    /// What a process gets where its plan says nothing, in the place of the agent's own limits.
    public var defaultLimits: [ResourceLimit] = []

    public init(sharedDirectory: String, rootMountPoint: String, cgroupDirectory: String) {
        self.sharedDirectory = sharedDirectory
        self.rootMountPoint = rootMountPoint
        self.cgroupDirectory = cgroupDirectory
    }
}

/// The ground as a container's first process opens it in its own mount namespace: mounts can be copied and
/// attached only within the namespace they belong to. Closed by exec.
struct Ground {
    let sharedDirectory: Int32
    let rootMountPoint: Int32
    /// The container's own cgroup.
    let cgroup: Int32
    /// /proc/sys of the guest, which shows each process its own namespaces' parameters.
    let kernelParameters: Int32

    init(opening ground: AgentGround, container: String) throws(LaunchFailure) {
        func open(_ path: String) throws(LaunchFailure) -> Int32 {
            try step(.prepare, "open \(path)") { () throws(Errno) in
                try FileDescriptor.open(path, [.path, .directory])
            }.release()
        }
        sharedDirectory = try open(ground.sharedDirectory)
        rootMountPoint = try open(ground.rootMountPoint)
        cgroup = try open(ground.cgroupDirectory + "/" + GuestCgroup.name(of: container))
        kernelParameters = try open("/proc/sys")
    }

    /// Enters the container's cgroup.
    func enterCgroup() throws(LaunchFailure) {
        try step(.prepare, "enter the cgroup") { () throws(Errno) in
            // 0 is whoever writes, cgroups(7).
            try FileDescriptor.open("cgroup.procs", at: cgroup, .writeOnly).writeAll(Array("0".utf8))
        }
    }
}
