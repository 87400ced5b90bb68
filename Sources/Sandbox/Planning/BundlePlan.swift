public import SandboxPlan

/// What a bundle asks for, with the document left behind: the container as the agent makes it, and what of
/// the host it is to see.
public struct BundlePlan: Sendable {
    public var container: ContainerPlan
    /// In the order of the document's mounts; the root file system is the first, where it is shared.
    public var shares: [Share]
    public var disks: [HostDisk] = []
    /// The user the sandbox must not grant more than: limits on the host, with the machine's own added.
    public var limits: HostLimits
}

/// Something of the host that the guest reaches through the shared directory tree.
public struct Share: Hashable, Sendable {
    /// Absolute, on the host.
    public var source: String
    /// Relative, in the shared tree.
    public var sharedPath: String
    public var isFile: Bool
    /// What is mounted beneath it comes along.
    public var isRecursive: Bool
    /// The host refuses writes, whatever the guest thinks.
    public var isReadOnly: Bool
    /// The same for what is mounted beneath it.
    public var isRecursivelyReadOnly: Bool
}

/// The document's limits that hold on the host as well.
public struct HostLimits: Hashable, Sendable {
    /// Bytes; nil: none.
    public var memoryByteCount: UInt64?
    public var cpuShares: UInt64?
    /// Microseconds; nil or negative: none.
    public var cpuQuota: Int64?
    /// Microseconds.
    public var cpuPeriod: UInt64?
    /// CPU and memory node lists as cpuset(7) has them; empty: all.
    public var cpus = ""
    public var memoryNodes = ""

    public init() {}
}

/// Why a valid document does not become a plan.
public enum PlanningError: Error, Equatable {
    /// A mount's source on the host cannot be used.
    case mountSource(index: Int, path: String, reason: String)
    case seccomp(String)
    /// An annotation that is read here.
    case annotation(String, value: String, problem: String)
    /// No file system that a disk can hold.
    case fileSystem(String)
    /// An option that a disk is not mounted with.
    case diskOption(String)
    /// A field of the document whose value is not known here.
    case field(path: String, problem: String)
}

extension PlanningError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .mountSource(let index, let path, let reason): "mounts[\(index)].source: \(path): \(reason)"
        case .seccomp(let reason): "linux.seccomp: \(reason)"
        case .annotation(let key, let value, let problem): "annotations[\"\(key)\"]: \"\(value)\" \(problem)"
        case .fileSystem(let type):
            "file system \"\(type)\": not one of \(DiskFileSystem.allCases.map(\.name).joined(separator: ", "))"
        case .diskOption(let option): "mount option \"\(option)\" is not supported for a root file system"
        case .field(let path, let problem): "\(path): \(problem)"
        }
    }
}
