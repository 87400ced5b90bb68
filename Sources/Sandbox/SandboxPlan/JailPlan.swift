// SPDX-License-Identifier: Apache-2.0
/// The sandbox's jail: one supervisor, PID 1 of a pid namespace of its own, and the processes under it, each
/// in namespaces of its own. When the supervisor goes, the kernel ends everything in its pid namespace; when
/// any process goes, or the lifeline hangs up, the supervisor goes.
public struct JailPlan: Hashable, Sendable {
    /// The sandbox's id, for names and messages.
    public var id: String
    /// The reading end of a pipe; the jail ends when all writing ends are closed.
    public var lifeline: Int32
    /// Where fc-jailer and the supervisor report, a line each.
    public var status: Int32
    /// The programs' log; nil: none.
    public var log: JailLog?
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

/// The programs' log: they inherit the writing end of a pipe, and the supervisor, which alone has the file, copies it there
/// and bounds the file's size.
public struct JailLog: Hashable, Sendable {
    /// The reading end of the pipe.
    public var pipe: Int32
    /// A regular file, open to be appended to.
    public var file: Int32

    public init(pipe: Int32, file: Int32) {
        self.pipe = pipe
        self.file = file
    }
}

/// One program in the jail.
public struct JailedProcess: Hashable, Sendable {
    /// The name in messages: `fc-fsd`, `fc-vmm`, `qemu`.
    public var name: String
    /// The program, an absolute path on the host, opened before the jail closes.
    public var executable: String
    /// What follows the program's name on its command line.
    public var arguments: [String]
    /// `NAME=value`.
    public var environment: [String] = []
    /// What its root directory holds; everything else is an empty read-only tmpfs.
    public var mounts: [JailMount] = []
    /// The descriptors it inherits. All others are closed.
    public var descriptors: [InheritedDescriptor] = []
    /// Capability numbers kept; all others leave every set.
    public var capabilities: [Int32] = []
    /// Resource limits as setrlimit(2); soft and hard alike.
    public var resourceLimits: [ResourceLimit] = []
    /// User and group to become; nil: stays root (of its few capabilities).
    public var uid: UInt32?
    /// The group, likewise.
    public var gid: UInt32?

    public init(name: String, executable: String, arguments: [String]) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
    }
}

extension JailedProcess {
    /// Hands `descriptor` to the program, as the first number above the standard ones that is free there.
    ///
    /// - Returns: its number in the program.
    public mutating func inherit(_ descriptor: Int32) -> Int32 {
        let number = max(2, descriptors.map(\.target).max() ?? 2) + 1
        descriptors.append(InheritedDescriptor(source: descriptor, target: number))
        return number
    }
}

/// A descriptor that a jailed program inherits, under another number.
public struct InheritedDescriptor: Hashable, Sendable {
    /// Its number in the process that starts the jail.
    public var source: Int32
    /// Its number in the program.
    public var target: Int32

    public init(source: Int32, target: Int32) {
        self.source = source
        self.target = target
    }
}

/// One thing in a jailed process's root directory. The place is made as needed.
public struct JailMount: Hashable, Sendable {
    /// What is mounted.
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

    /// What is mounted.
    public var source: Source
    /// Absolute, in the jail.
    public var destination: String
    /// Of the mount itself, not of those below it.
    public var isReadOnly: Bool

    public init(source: Source, destination: String, isReadOnly: Bool) {
        self.source = source
        self.destination = destination
        self.isReadOnly = isReadOnly
    }
}
