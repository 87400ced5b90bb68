// SPDX-License-Identifier: Apache-2.0
/// A container as the guest agent makes it. The agent knows no OCI document: this is what is left of one.
public struct ContainerPlan: Hashable, Sendable {
    /// The OCI id, as ``ContainerID``.
    public var id: String
    /// Its first process.
    public var process: ProcessPlan
    /// Its root file system.
    public var root: RootPlan
    /// Host name in its UTS namespace; nil leaves it.
    public var hostname: String?
    /// NIS domain name there; nil leaves it.
    public var domainName: String?
    /// In the order they are to be made.
    public var mounts: [MountPlan] = []
    /// A namespace not named here is the agent's own, shared by all that do not name it either.
    public var namespaces: [NamespacePlan] = []
    /// Nodes to make in /dev, besides those every container gets (null, zero, full, random, urandom, tty).
    public var devices: [DevicePlan] = []
    /// Absolute paths in the container that are hidden.
    public var maskedPaths: [String] = []
    /// Absolute paths in the container that are made read-only.
    public var readOnlyPaths: [String] = []
    /// Paths below /proc/sys and what is written there, in order.
    public var kernelParameters: [KernelParameter] = []
    /// What it may use.
    public var resources = ResourcePlan()

    /// A container that runs `process` in `root`, with nothing else asked for.
    public init(id: String, process: ProcessPlan, root: RootPlan) {
        self.id = id
        self.process = process
        self.root = root
    }
}

/// The container's root file system.
public struct RootPlan: Hashable, Sendable {
    /// What the root is.
    public var source: RootSource
    /// Whether it is mounted read-only.
    public var isReadOnly: Bool
    /// How the container's / propagates: nil is private (as runc: rprivate... rslave).
    public var propagation: MountPropagation?

    /// The root `source`, with private propagation.
    public init(_ source: RootSource, isReadOnly: Bool) {
        self.source = source
        self.isReadOnly = isReadOnly
    }
}

/// Where a root file system comes from.
public enum RootSource: Hashable, Sendable {
    /// Where it lies in the shared directory tree: relative, no `..`, such as `0/rootfs`.
    case shared(path: String)
    /// A disk of the machine, mounted by the guest for this container alone.
    case disk(DiskMount)
}

/// The propagation types of mount_namespaces(7), by their numbers in the agent protocol.
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
    /// What is mounted.
    public var source: MountSource
    /// Attributes of the mount alone.
    public var attributes: MountAttributes
    /// Which attributes the document set or cleared for everything beneath as well (`rro` and its kin).
    public var recursiveSet: MountAttributes = []
    /// Attributes cleared on the mount and all below it.
    public var recursiveClear: MountAttributes = []
    /// Propagation set after the mount; nil leaves it.
    public var propagation: MountPropagation?
    /// Whether the propagation is set below the mount, too.
    public var propagationIsRecursive = false

    /// A mount of `source` at the absolute path `destination`.
    public init(destination: String, source: MountSource, attributes: MountAttributes = []) {
        self.destination = destination
        self.source = source
        self.attributes = attributes
    }
}

/// What a mount shows.
public enum MountSource: Hashable, Sendable {
    /// A new file system of the guest kernel's: proc, sysfs, tmpfs, devpts, mqueue.
    /// `options` are the file system's own (`size=64m`); `copiesUp` is `tmpcopyup`.
    case fileSystem(type: String, source: String, options: [String], copiesUp: Bool)
    /// The container's cgroup, as cgroup2.
    case cgroup
    /// Something of the host's, shared at this relative path of the shared tree; a file where `isFile`.
    case shared(path: String, isFile: Bool, recursive: Bool)
    /// A bind of something in the guest's own root, for what a sandbox provides (`/dev/shm` of a pod), or of what the
    /// container of this id, which runs, has there.
    case guest(path: String, recursive: Bool, container: String? = nil)
    /// A unix socket of the host's that a program listens at: one in its place, whose connections are carried there.
    case socket(HostSocket)
}

/// A stream socket of the host's as a container sees it, and how its connections get there.
public struct HostSocket: Hashable, Sendable {
    /// The host's vsock port for it, which is this container's alone.
    public var port: UInt32
    /// What the agent says there first, 16 bytes: other processes of the machine can connect to the port, too.
    public var token: [UInt8]
    /// Permission bits.
    public var mode: UInt32
    /// Owner of the socket in the container.
    public var uid: UInt32
    /// Group of the socket in the container.
    public var gid: UInt32

    /// A socket that is reached through `port`; `token` has 16 bytes.
    public init(port: UInt32, token: [UInt8], mode: UInt32, uid: UInt32, gid: UInt32) {
        self.port = port
        self.token = token
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}

/// Attributes of a mount, with the bits of mount_setattr(2).
public struct MountAttributes: OptionSet, Hashable, Sendable {
    /// MOUNT_ATTR_ bits of mount_setattr(2).
    public let rawValue: UInt32
    /// The attributes whose MOUNT_ATTR_ bits are in `rawValue`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Nothing can be written (MOUNT_ATTR_RDONLY).
    public static let readOnly = MountAttributes(rawValue: 0x1)
    /// Set-id bits and file capabilities have no effect (MOUNT_ATTR_NOSUID).
    public static let noSetUID = MountAttributes(rawValue: 0x2)
    /// Device nodes cannot be opened (MOUNT_ATTR_NODEV).
    public static let noDevices = MountAttributes(rawValue: 0x4)
    /// No program can be executed (MOUNT_ATTR_NOEXEC).
    public static let noExecute = MountAttributes(rawValue: 0x8)
    /// Access times are not updated (MOUNT_ATTR_NOATIME).
    public static let noAccessTime = MountAttributes(rawValue: 0x10)
    /// Access times are updated at each access (MOUNT_ATTR_STRICTATIME).
    public static let strictAccessTime = MountAttributes(rawValue: 0x20)
    /// Access times of directories are not updated (MOUNT_ATTR_NODIRATIME).
    public static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    /// Symbolic links are not followed (MOUNT_ATTR_NOSYMFOLLOW).
    public static let noSymlinkFollow = MountAttributes(rawValue: 0x20_0000)
}

/// The namespaces that a container can have, by their numbers in the agent protocol.
public enum NamespaceKind: UInt32, Sendable, CaseIterable {
    case mount = 1
    case pid = 2
    case ipc = 3
    case uts = 4
    case cgroup = 5
    case network = 6
}

/// A namespace of a container: a new one, or that of another container.
public struct NamespacePlan: Hashable, Sendable {
    /// Its type.
    public var kind: NamespaceKind
    /// The container of the same VM whose namespace is joined; nil: a new one.
    public var joins: String?

    /// A new namespace, or that of the container `joins`.
    public init(kind: NamespaceKind, joins: String? = nil) {
        self.kind = kind
        self.joins = joins
    }
}

/// A device node of the container.
public struct DevicePlan: Hashable, Sendable {
    /// The types of nodes, by their numbers in the agent protocol.
    public enum Kind: UInt32, Sendable {
        case character = 1
        case block = 2
        case fifo = 3
    }

    /// Absolute, in the container.
    public var path: String
    /// Its type.
    public var kind: Kind
    /// Major number.
    public var major: UInt32
    /// Minor number.
    public var minor: UInt32
    /// Permission bits.
    public var mode: UInt32
    /// Owner.
    public var uid: UInt32
    /// Group.
    public var gid: UInt32

    /// A node at the absolute path `path`; `mode` has permission bits only.
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

/// A name and what is written there: a sysctl, or a file of a cgroup.
public struct KernelParameter: Hashable, Sendable {
    /// The name: a path below /proc/sys, or a file's name.
    public var name: String
    /// What is written.
    public var value: String

    /// Writes `value` to `name`.
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

    /// Every field absent or at its default.
    public init() {}
}

/// One line of the OCI document's resources.devices; the last that matches decides.
public struct DeviceRule: Hashable, Sendable {
    /// Whether the rule allows or denies.
    public var allows: Bool
    /// nil: any kind (`a`).
    public var kind: DevicePlan.Kind?
    /// nil: any number.
    public var major: UInt32?
    /// nil: any number.
    public var minor: UInt32?
    /// Whether it is about reading.
    public var canRead: Bool
    /// Whether it is about writing.
    public var canWrite: Bool
    /// Whether it is about mknod(2).
    public var canMakeNode: Bool

    /// Every device is allowed if `deviceRules` stays nil.
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
