// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// The answer to Create and to Start.
public struct PidResponse: PackedTaskMessage {
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__pid_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("pid", &pid)
    }
}

/// The answer to State.
public struct StateResponse: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// The absolute path of the bundle.
    public var bundle = ""
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0
    /// What the process does.
    public var status = TaskStatus.unknown
    /// Where standard input comes from: the path of a fifo, or a URL; empty for none.
    public var stdin = ""
    /// Where standard output goes: the path of a fifo, or a URL; empty for none.
    public var stdout = ""
    /// Where standard error goes: the path of a fifo, or a URL; empty for none.
    public var stderr = ""
    /// Whether the process has a terminal.
    public var terminal = false
    /// The exit code, or 128 and the signal that ended it.
    public var exitStatus: UInt32 = 0
    /// When it ended.
    public var exitedAt: Timestamp?
    /// The exec id.
    public var execID = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__state_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("bundle", &bundle)
        fields.number("pid", &pid)
        fields.number("status", &status.rawValue)
        fields.text("stdin", &stdin)
        fields.text("stdout", &stdout)
        fields.text("stderr", &stderr)
        fields.flag("terminal", &terminal)
        fields.number("exit_status", &exitStatus)
        fields.message("exited_at", &exitedAt)
        fields.text("exec_id", &execID)
    }
}

/// The answer to Delete; also what the shim prints for `delete`.
public struct DeleteResponse: PackedTaskMessage {
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0
    /// 128 and the signal, for one that was killed.
    public var exitStatus: UInt32 = 0
    /// When it ended.
    public var exitedAt: Timestamp?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__delete_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("pid", &pid)
        fields.number("exit_status", &exitStatus)
        fields.message("exited_at", &exitedAt)
    }
}

/// The answer to Pids.
public struct PidsResponse: PackedTaskMessage {
    /// The processes, in no order.
    public var processes: [ProcessInfo] = []

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__pids_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.messages("processes", &processes)
    }
}

/// The answer to Wait, and to WaitSandbox.
public struct WaitResponse: PackedTaskMessage {
    /// The exit code, or 128 and the signal that ended it.
    public var exitStatus: UInt32 = 0
    /// When it ended.
    public var exitedAt: Timestamp?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__wait_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("exit_status", &exitStatus)
        fields.message("exited_at", &exitedAt)
    }
}

/// The answer to Stats.
public struct StatsResponse: PackedTaskMessage {
    /// ``CgroupV1/Metrics`` or ``CgroupV2/Metrics``.
    public var stats: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__stats_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("stats", &stats)
    }
}

/// The answer to Connect.
public struct ConnectResponse: PackedTaskMessage {
    /// The shim's own pid.
    public var shimPID: UInt32 = 0
    /// The pid of the task's first process.
    public var taskPID: UInt32 = 0
    /// The version of the protocol.
    public var version = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__connect_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("shim_pid", &shimPID)
        fields.number("task_pid", &taskPID)
        fields.text("version", &version)
    }
}

/// An answer without fields: Pause, Resume, Checkpoint, Kill, Exec, ResizePty, CloseIO, Update, Shutdown, Forward;
/// CreateSandbox, StopSandbox, PingSandbox, ShutdownSandbox.
public enum EmptyResponse {
    /// The message's bytes: none.
    public static let encoded: [UInt8] = []
}

/// The status of a process.
public struct TaskStatus: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public var rawValue: Int32
    /// Any number: those that are not known here are kept.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Not said.
    public static let unknown = TaskStatus(rawValue: 0)
    /// Made, not started.
    public static let created = TaskStatus(rawValue: 1)
    /// Started, not ended.
    public static let running = TaskStatus(rawValue: 2)
    /// Ended.
    public static let stopped = TaskStatus(rawValue: 3)
    /// Frozen.
    public static let paused = TaskStatus(rawValue: 4)
    /// On the way to be frozen.
    public static let pausing = TaskStatus(rawValue: 5)
}
