// SPDX-License-Identifier: Apache-2.0
/// A process to start in the guest: everything decided, nothing left to look up but the passwd-free
/// numbers the document gives.
public struct ProcessPlan: Hashable, Sendable {
    /// argv; the first is the program, found in the container's PATH where it has no slash.
    public var arguments: [String]
    /// `NAME=value` strings, in order.
    public var environment: [String]
    /// Absolute, inside the container.
    public var workingDirectory: String
    /// Who it runs as.
    public var user = UserPlan()
    /// The guest gives the process a pty of its own, and its stream of output is one.
    public var hasTerminal = false
    /// The pty's first size.
    public var terminalSize: TerminalSize?
    /// The pty begins with ONLCR cleared, so that a newline comes out as one.
    public var terminalKeepsNewlines = false
    /// Limits to set; others are those of the agent's containers.
    public var resourceLimits: [ResourceLimit] = []
    /// Its capabilities.
    public var capabilities = CapabilityPlan()
    /// Whether PR_SET_NO_NEW_PRIVS is set (prctl(2)).
    public var noNewPrivileges = false
    /// -1000 to 1000.
    public var oomScoreAdjustment: Int32?
    /// A classic BPF program for seccomp(2), struct sock_filter after struct sock_filter in the guest's byte
    /// order, installed last before exec.
    public var seccomp: SeccompPlan?

    /// A process of user 0 without capabilities, limits of its own or a filter.
    public init(arguments: [String], environment: [String] = [], workingDirectory: String = "/") {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

/// The user a process runs as, by number.
public struct UserPlan: Hashable, Sendable {
    /// User id.
    public var uid: UInt32 = 0
    /// Group id.
    public var gid: UInt32 = 0
    /// Supplementary group ids.
    public var additionalGroups: [UInt32] = []
    /// nil: 0022.
    public var umask: UInt32?

    /// Every field absent or at its default.
    public init() {}
}

/// Rows and columns of a terminal, in characters.
public struct TerminalSize: Hashable, Sendable {
    /// Height in characters.
    public var rows: UInt16
    /// Width in characters.
    public var columns: UInt16

    /// A size of `rows` lines of `columns` characters.
    public init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// One of setrlimit(2)'s limits; UInt64.max is no limit.
public struct ResourceLimit: Hashable, Sendable {
    /// RLIMIT_… as the kernel numbers it.
    public var resource: UInt32
    /// The limit that the kernel enforces.
    public var soft: UInt64
    /// The ceiling of the soft limit.
    public var hard: UInt64

    /// A limit of RLIMIT_ number `resource`.
    public init(resource: UInt32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// The five capability sets, capabilities(7), as bit masks by capability number.
public struct CapabilityPlan: Hashable, Sendable {
    /// What can be gained at all.
    public var bounding: UInt64 = 0
    /// What is in force.
    public var effective: UInt64 = 0
    /// What can be made effective.
    public var permitted: UInt64 = 0
    /// What is kept across execve(2) of programs that ask for it.
    public var inheritable: UInt64 = 0
    /// What is kept across execve(2) of any program.
    public var ambient: UInt64 = 0

    /// Every field absent or at its default.
    public init() {}
}

/// A compiled seccomp filter.
public struct SeccompPlan: Hashable, Sendable {
    /// struct sock_filter, 8 bytes each, at most 4096 of them.
    public var program: [UInt8]
    /// SECCOMP_FILTER_FLAG_….
    public var flags: UInt32

    /// A compiled filter and its flags for seccomp(2).
    public init(program: [UInt8], flags: UInt32) {
        self.program = program
        self.flags = flags
    }
}
