/// The sandbox's jail: one supervisor, PID 1 of a pid namespace of its own, and the processes under it, each
/// in namespaces of its own. When the supervisor goes, the kernel ends everything in its pid namespace; when
/// any process goes, or the lifeline hangs up, the supervisor goes.
public struct JailPlan: Hashable, Sendable {
    /// The sandbox's id, for names and messages.
    public var id: String
    /// A pipe whose writing ends are held by those the sandbox lives for; the jail ends when all are closed.
    public var lifeline: Int32
    /// Where the supervisor writes one line why the sandbox ended; also its own errors.
    public var status: Int32
    /// The cgroup directories (one on v2, one a controller on v1) to join, by open descriptor of `cgroup.procs`.
    public var cgroups: [Int32] = []
    /// The network namespace to enter, by open descriptor; nil: a new, empty one.
    public var networkNamespace: Int32?
    /// In the order they are started.
    public var processes: [JailedProcess] = []

    public init(id: String, lifeline: Int32, status: Int32) {
        self.id = id
        self.lifeline = lifeline
        self.status = status
    }
}

/// One program in the jail.
public struct JailedProcess: Hashable, Sendable {
    /// The name in messages: `fc-fsd`, `fc-vmm`, `qemu`.
    public var name: String
    /// The program, an absolute path on the host, opened before the jail closes.
    public var executable: String
    public var arguments: [String]
    public var environment: [String] = []
    /// What its root directory holds; everything else is an empty read-only tmpfs.
    public var mounts: [JailMount] = []
    /// Descriptors handed down: the number here, and the number there. All others are closed.
    public var descriptors: [HandedDescriptor] = []
    /// Capability numbers kept; all others leave every set.
    public var capabilities: [Int32] = []
    /// Resource limits as setrlimit(2); soft and hard alike.
    public var resourceLimits: [ResourceLimit] = []
    /// User and group to become; nil: stays root (of its few capabilities).
    public var uid: UInt32?
    public var gid: UInt32?

    public init(name: String, executable: String, arguments: [String]) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
    }
}

public struct HandedDescriptor: Hashable, Sendable {
    public var here: Int32
    public var there: Int32

    public init(here: Int32, there: Int32) {
        self.here = here
        self.there = there
    }
}

/// One thing in a jailed process's root directory. The place is made as needed.
public struct JailMount: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// A bind of this absolute host path, a directory or a file.
        case host(path: String)
        /// A detached mount, made by open_tree(2) or fsmount(2), by open descriptor.
        case detached(descriptor: Int32, isFile: Bool)
        /// A new proc that shows processes only.
        case processes
        /// A new, writable tmpfs.
        case temporary
        /// A new directory of device nodes bound from the host: null, zero, urandom, and those named.
        case devices([String])
    }

    public var source: Source
    /// Absolute, in the jail.
    public var destination: String
    public var isReadOnly: Bool

    public init(source: Source, destination: String, isReadOnly: Bool) {
        self.source = source
        self.destination = destination
        self.isReadOnly = isReadOnly
    }
}
