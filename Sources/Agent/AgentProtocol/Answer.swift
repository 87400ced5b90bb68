// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// What the agent answers, or says unasked.
public enum Answer: Hashable, Sendable {
    case done
    case failure(Failure)
    /// To `hello`: the version of the protocol that the agent speaks.
    case welcome(version: UInt32)
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

    /// - Parameters:
    ///   - errno: of the guest's kernel; 0 if none was the cause.
    ///   - stage: one of a fixed set of names.
    ///   - message: one line for a person.
    public init(errno: Int32 = 0, stage: String, message: String) {
        self.errno = errno
        self.stage = stage
        self.message = message
    }
}

/// How a process in the guest ended.
public struct ProcessExit: Hashable, Sendable {
    /// The two ways a process ends.
    public enum Status: Hashable, Sendable {
        case exited(code: UInt8)
        case signaled(signal: Int32)

        /// Whether a process can die of `signal`: its default action is not to be ignored, to stop or to go on,
        /// signal(7).
        public static func canEnd(signal: Int32) -> Bool {
            switch signal {
            // SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH.
            case 17...23, 28: false
            default: (1...64).contains(signal)
            }
        }
    }

    /// With which code it exited, or which signal ended it.
    public var status: Status
    /// The kernel killed something in the container for want of memory while the process ran.
    public var ranOutOfMemory: Bool
    /// How many bytes of its output, and of its errors, were written when it ended, read or not.
    public var outputByteCount: UInt64 = 0
    /// The same of its errors.
    public var errorByteCount: UInt64 = 0
    /// It died of a signal that the host had sent.
    public var wasRequested = false

    /// An end that no signal of the host's caused, of a process that has written nothing.
    public init(status: Status, ranOutOfMemory: Bool = false) {
        self.status = status
        self.ranOutOfMemory = ranOutOfMemory
    }
}

/// One process of a container, as ps shows it.
public struct ProcessEntry: Hashable, Sendable {
    /// Its pid in the guest's first pid namespace.
    public var pid: UInt32
    /// Its parent's, there.
    public var parentPID: UInt32
    /// Its effective user.
    public var uid: UInt32
    /// When it started, in clock ticks (1/100 s) since the guest booted.
    public var startTicks: UInt64
    /// User and system time, in clock ticks.
    public var cpuTicks: UInt64
    /// `pts/0`, or empty.
    public var terminal: String
    /// Its arguments, or the program's name in brackets where it has none.
    public var command: String

    /// One line of ps; both times are in clock ticks (1/100 s).
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
