public import SandboxPlan

/// What the agent answers, or says unasked.
public enum Answer: Hashable, Sendable {
    case done
    case failure(Failure)
    case welcome(version: UInt32, kernelRelease: String)
    /// The process's pid in the guest's first pid namespace.
    case started(pid: UInt32)
    case exited(ProcessExit)
    /// Files of the container's cgroup, by name.
    case statistics([KernelParameter])
    case processes([ProcessEntry])
    /// Unasked, with id 0.
    case event(container: String, kind: String)
}

/// Why a request was not carried out.
public struct Failure: Hashable, Sendable {
    /// errno of the guest's kernel; 0 where none was the cause.
    public var errno: Int32
    /// What was being done, one of a fixed set of names.
    public var stage: String
    /// One line for a person.
    public var message: String

    public init(errno: Int32 = 0, stage: String, message: String) {
        self.errno = errno
        self.stage = stage
        self.message = message
    }
}

/// How a process in the guest ended.
public struct ProcessExit: Hashable, Sendable {
    public enum Status: Hashable, Sendable {
        case exited(code: UInt8)
        case signaled(signal: Int32)
    }

    public var status: Status
    /// The guest's clock, nanoseconds since 1970.
    public var timeNanoseconds: Int64
    /// The kernel killed something in the container for want of memory while the process ran.
    public var ranOutOfMemory: Bool

    public init(status: Status, timeNanoseconds: Int64, ranOutOfMemory: Bool = false) {
        self.status = status
        self.timeNanoseconds = timeNanoseconds
        self.ranOutOfMemory = ranOutOfMemory
    }
}

/// One process of a container, as ps shows it.
public struct ProcessEntry: Hashable, Sendable {
    public var pid: UInt32
    public var parentPID: UInt32
    public var uid: UInt32
    /// When it started, in clock ticks (1/100 s) since the guest booted.
    public var startTicks: UInt64
    /// User and system time, in clock ticks.
    public var cpuTicks: UInt64
    /// `pts/0`, or empty.
    public var terminal: String
    public var command: String

    public init(
        pid: UInt32, parentPID: UInt32, uid: UInt32, startTicks: UInt64, cpuTicks: UInt64, terminal: String,
        command: String
    ) {
        self.pid = pid
        self.parentPID = parentPID
        self.uid = uid
        self.startTicks = startTicks
        self.cpuTicks = cpuTicks
        self.terminal = terminal
        self.command = command
    }
}
