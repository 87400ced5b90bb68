/// A container as the guest agent makes it. The agent knows no OCI document: this is what is left of one.
public struct ContainerPlan: Hashable, Sendable {
    /// The OCI id: 1 to 255 bytes of `[A-Za-z0-9_+.-]`, not `.` or `..`.
    public var id: String
    public var process: ProcessPlan
    public var root: RootPlan
    public var hostname: String?
    public var domainName: String?
    /// In the order they are to be made.
    public var mounts: [MountPlan] = []
    /// A namespace not named here is the agent's own, shared by all that do not name it either.
    public var namespaces: [NamespacePlan] = []
    /// Nodes to make in /dev, besides those every container gets (null, zero, full, random, urandom, tty).
    public var devices: [DevicePlan] = []
    public var maskedPaths: [String] = []
    public var readOnlyPaths: [String] = []
    /// Paths below /proc/sys and what is written there, in order.
    public var kernelParameters: [KernelParameter] = []
    public var resources = ResourcePlan()

    public init(id: String, process: ProcessPlan, root: RootPlan) {
        self.id = id
        self.process = process
        self.root = root
    }
}

/// The container's root file system.
public struct RootPlan: Hashable, Sendable {
    public var source: RootSource
    public var isReadOnly: Bool
    /// How the container's / propagates: nil is private (as runc: rprivate... rslave).
    public var propagation: MountPropagation?

    public init(_ source: RootSource, isReadOnly: Bool) {
        self.source = source
        self.isReadOnly = isReadOnly
    }
}

public enum RootSource: Hashable, Sendable {
    /// Where it lies in the shared directory tree: relative, no `..`, such as `0/rootfs`.
    case shared(path: String)
    /// A disk of the machine, mounted by the guest for this container alone.
    case disk(DiskMount)
}

public enum MountPropagation: UInt32, Sendable {
    case `private` = 1
    case slave = 2
    case shared = 3
    case unbindable = 4
}

/// One mount in the container.
public struct MountPlan: Hashable, Sendable {
    /// Absolute, in the container; made where missing, never through a symlink out of the root.
    public var destination: String
    public var source: MountSource
    public var attributes: MountAttributes
    /// Which attributes the document set or cleared for everything beneath as well (`rro` and its kin).
    public var recursiveSet: MountAttributes = []
    public var recursiveClear: MountAttributes = []
    public var propagation: MountPropagation?
    public var propagationIsRecursive = false

    public init(destination: String, source: MountSource, attributes: MountAttributes = []) {
        self.destination = destination
        self.source = source
        self.attributes = attributes
    }
}

public enum MountSource: Hashable, Sendable {
    /// A new file system of the guest kernel's: proc, sysfs, tmpfs, devpts, mqueue.
    /// `options` are the file system's own (`size=64m`); `copiesUp` is `tmpcopyup`.
    case fileSystem(type: String, source: String, options: [String], copiesUp: Bool)
    /// The container's cgroup, as cgroup2.
    case cgroup
    /// Something of the host's, shared at this relative path of the shared tree; a file where `isFile`.
    case shared(path: String, isFile: Bool, recursive: Bool)
    /// A bind of something in the guest's own root, for what a sandbox provides (`/dev/shm` of a pod).
    case guest(path: String, recursive: Bool)
}

/// Attributes of a mount, with the bits of mount_setattr(2).
public struct MountAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let readOnly = MountAttributes(rawValue: 0x1)
    public static let noSetUID = MountAttributes(rawValue: 0x2)
    public static let noDevices = MountAttributes(rawValue: 0x4)
    public static let noExecute = MountAttributes(rawValue: 0x8)
    public static let noAccessTime = MountAttributes(rawValue: 0x10)
    public static let strictAccessTime = MountAttributes(rawValue: 0x20)
    public static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    public static let noSymlinkFollow = MountAttributes(rawValue: 0x20_0000)
}

public enum NamespaceKind: UInt32, Sendable, CaseIterable {
    case mount = 1
    case pid = 2
    case ipc = 3
    case uts = 4
    case cgroup = 5
    case network = 6
}

public struct NamespacePlan: Hashable, Sendable {
    public var kind: NamespaceKind
    /// The container of the same VM whose namespace is joined; nil: a new one.
    public var joins: String?

    public init(kind: NamespaceKind, joins: String? = nil) {
        self.kind = kind
        self.joins = joins
    }
}

public struct DevicePlan: Hashable, Sendable {
    public enum Kind: UInt32, Sendable {
        case character = 1
        case block = 2
        case fifo = 3
    }

    /// Absolute, in the container.
    public var path: String
    public var kind: Kind
    public var major: UInt32
    public var minor: UInt32
    /// Permission bits.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32

    public init(path: String, kind: Kind, major: UInt32, minor: UInt32, mode: UInt32, uid: UInt32, gid: UInt32) {
        self.path = path
        self.kind = kind
        self.major = major
        self.minor = minor
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}

public struct KernelParameter: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// What the container may use, as cgroup v2 files of the guest.
public struct ResourcePlan: Hashable, Sendable {
    /// File names (`memory.max`, `cpu.weight`, `pids.max`) and what is written to them, in order.
    public var files: [KernelParameter] = []
    /// nil: every device is allowed.
    public var deviceRules: [DeviceRule]?

    public init() {}
}

/// One line of the OCI document's resources.devices; the last that matches decides.
public struct DeviceRule: Hashable, Sendable {
    public var allows: Bool
    /// nil: any kind (`a`).
    public var kind: DevicePlan.Kind?
    /// nil: any number.
    public var major: UInt32?
    public var minor: UInt32?
    public var canRead: Bool
    public var canWrite: Bool
    public var canMakeNode: Bool

    public init(
        allows: Bool, kind: DevicePlan.Kind?, major: UInt32?, minor: UInt32?, canRead: Bool, canWrite: Bool,
        canMakeNode: Bool
    ) {
        self.allows = allows
        self.kind = kind
        self.major = major
        self.minor = minor
        self.canRead = canRead
        self.canWrite = canWrite
        self.canMakeNode = canMakeNode
    }
}
