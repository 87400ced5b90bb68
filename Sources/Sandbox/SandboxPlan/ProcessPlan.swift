/// A process to start in the guest: everything decided, nothing left to look up but the passwd-free
/// numbers the document gives.
public struct ProcessPlan: Hashable, Sendable {
    /// argv; the first is the program, found in the container's PATH where it has no slash.
    public var arguments: [String]
    /// `NAME=value` strings, in order.
    public var environment: [String]
    /// Absolute, inside the container.
    public var workingDirectory: String
    public var user = UserPlan()
    /// The guest gives the process a pty of its own, and its stream of output is one.
    public var hasTerminal = false
    /// The pty's first size.
    public var terminalSize: TerminalSize?
    public var resourceLimits: [ResourceLimit] = []
    public var capabilities = CapabilityPlan()
    public var noNewPrivileges = false
    /// -1000 to 1000.
    public var oomScoreAdjustment: Int32?
    /// A classic BPF program for seccomp(2), struct sock_filter after struct sock_filter in the guest's byte
    /// order, installed last before exec.
    public var seccomp: SeccompPlan?

    public init(arguments: [String], environment: [String] = [], workingDirectory: String = "/") {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

/// The user a process runs as, by number.
public struct UserPlan: Hashable, Sendable {
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var additionalGroups: [UInt32] = []
    /// nil: 0022.
    public var umask: UInt32?

    public init() {}
}

/// Rows and columns of a terminal, in characters.
public struct TerminalSize: Hashable, Sendable {
    public var rows: UInt16
    public var columns: UInt16

    public init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// One of setrlimit(2)'s limits; UInt64.max is no limit.
public struct ResourceLimit: Hashable, Sendable {
    /// RLIMIT_… as the kernel numbers it.
    public var resource: UInt32
    public var soft: UInt64
    public var hard: UInt64

    public init(resource: UInt32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// The five capability sets, capabilities(7), as bit masks by capability number.
public struct CapabilityPlan: Hashable, Sendable {
    public var bounding: UInt64 = 0
    public var effective: UInt64 = 0
    public var permitted: UInt64 = 0
    public var inheritable: UInt64 = 0
    public var ambient: UInt64 = 0

    public init() {}
}

/// A compiled seccomp filter.
public struct SeccompPlan: Hashable, Sendable {
    /// struct sock_filter, 8 bytes each, at most 4096 of them.
    public var program: [UInt8]
    /// SECCOMP_FILTER_FLAG_….
    public var flags: UInt32

    public init(program: [UInt8], flags: UInt32) {
        self.program = program
        self.flags = flags
    }
}
