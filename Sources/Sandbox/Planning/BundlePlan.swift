// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// What a bundle asks for, with the document left behind: the container as the agent makes it, and what of
/// the host it is to see.
public struct BundlePlan: Sendable {
    /// The container, as the agent makes it.
    public var container: ContainerPlan
    /// In the order of the document's mounts; the root file system is the first, where it is shared.
    public var shares: [Share]
    /// What the container's root is on, where that is a disk; how it is mounted stands in `container`.
    public var rootDisk: RootDisk?
    /// The host's sockets among the mounts.
    public var sockets: [BoundSocket] = []
    /// What the document's limits say of the machine's size.
    public var limits: SizingLimits
}

/// Something of the host that the guest reaches through the shared directory tree.
public struct Share: Hashable, Sendable {
    /// Absolute, on the host.
    public var source: String
    /// An overlay is made of the directories that these options name, and `source` is a name only.
    public var overlayOptions: [String]?
    /// Relative, in the shared tree.
    public var sharedPath: String
    /// Whether it is a file and not a directory.
    public var isFile: Bool
    /// Symlinks on the way to it are followed. Not to a root: it was found to be reached through none, and that holds.
    public var followsLinks = true
    /// It lies in the host's cgroups.
    public var isOfCgroups = false
    /// What is mounted beneath it comes along.
    public var isRecursive: Bool
    /// The host refuses writes, whatever the guest thinks.
    public var isReadOnly: Bool
    /// The same for what is mounted beneath it.
    public var isRecursivelyReadOnly: Bool
    /// What the host mounts in it, or takes away, while it is shared is shared as well.
    public var followsHost = false

    /// The modules of a guest's kernel, which lie in `directory` on the host.
    public static func modules(_ directory: String) -> Share {
        Share(
            source: directory, sharedPath: GuestConvention.modulesName, isFile: false, isRecursive: false,
            isReadOnly: true, isRecursivelyReadOnly: false)
    }
}

/// A socket of the host's that a container has bound. Its mount says what of it is known before it is opened: nothing.
public struct BoundSocket: Hashable, Sendable {
    /// Of the container's mounts.
    public var mountIndex: Int
    /// Absolute, on the host.
    public var source: String
}

/// The limits of a document that a machine is sized by.
public struct SizingLimits: Hashable, Sendable {
    /// Bytes; nil: none.
    public var memoryByteCount: UInt64?
    /// Microseconds; nil or negative: none.
    public var cpuQuota: Int64?
    /// Microseconds.
    public var cpuPeriod: UInt64?

    /// Every field absent or at its default.
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
    /// The problem as the user reads it.
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
