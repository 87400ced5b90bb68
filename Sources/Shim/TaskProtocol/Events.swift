// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// Forward, of containerd's Events service.
public struct ForwardRequest: PackedTaskMessage {
    /// The event and what is said of it.
    public var envelope: EventEnvelope?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__forward_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("envelope", &envelope)
    }
}

/// An event on its way to containerd.
public struct EventEnvelope: PackedTaskMessage {
    /// When it was.
    public var timestamp: Timestamp?
    /// The containerd namespace.
    public var namespace = ""
    /// As ``EventTopic``.
    public var topic = ""
    /// The event itself.
    public var event: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__envelope__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("timestamp", &timestamp)
        fields.text("namespace", &namespace)
        fields.text("topic", &topic)
        fields.message("event", &event)
    }
}

/// A task was created.
public struct TaskCreate: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""
    /// The absolute path of the bundle.
    public var bundle = ""
    /// The mounts of which the root file system is made.
    public var rootfs: [RootfsMount] = []
    /// Where the streams are.
    public var io: TaskIO?
    /// The checkpoint it was restored from; empty for none.
    public var checkpoint = ""
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_create__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
        fields.text("bundle", &bundle)
        fields.messages("rootfs", &rootfs)
        fields.message("io", &io)
        fields.text("checkpoint", &checkpoint)
        fields.number("pid", &pid)
    }
}

/// Where a task's streams are.
public struct TaskIO: PackedTaskMessage {
    /// Where standard input comes from: the path of a fifo, or a URL; empty for none.
    public var stdin = ""
    /// Where standard output goes: the path of a fifo, or a URL; empty for none.
    public var stdout = ""
    /// Where standard error goes: the path of a fifo, or a URL; empty for none.
    public var stderr = ""
    /// Whether the process has a terminal.
    public var terminal = false

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_io__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("stdin", &stdin)
        fields.text("stdout", &stdout)
        fields.text("stderr", &stderr)
        fields.flag("terminal", &terminal)
    }
}

/// A task's first process was started.
public struct TaskStart: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_start__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
        fields.number("pid", &pid)
    }
}

/// A process ended.
public struct TaskExit: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""
    /// The exec id; the container's id for the first process.
    public var id = ""
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0
    /// The exit code, or 128 and the signal that ended it.
    public var exitStatus: UInt32 = 0
    /// When it ended.
    public var exitedAt: Timestamp?
    /// Newer than containerd 2.2, which leaves it out.
    public var exitReason = ExitReason.none

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_exit__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
        fields.text("id", &id)
        fields.number("pid", &pid)
        fields.number("exit_status", &exitStatus)
        fields.message("exited_at", &exitedAt)
        fields.number("exit_reason", &exitReason.rawValue)
    }
}

/// A process was deleted.
public struct TaskDelete: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0
    /// The exit code, or 128 and the signal that ended it.
    public var exitStatus: UInt32 = 0
    /// When it ended.
    public var exitedAt: Timestamp?
    /// The exec id; empty for the first process.
    public var id = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_delete__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
        fields.number("pid", &pid)
        fields.number("exit_status", &exitStatus)
        fields.message("exited_at", &exitedAt)
        fields.text("id", &id)
    }
}

/// Out of memory, paused, resumed: which one is said by the topic and the type.
public struct TaskNotice: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_notice__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
    }
}

/// A further process was made.
public struct TaskExecAdded: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""
    /// The exec id.
    public var execID = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_exec_added__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
        fields.text("exec_id", &execID)
    }
}

/// A further process was started.
public struct TaskExecStarted: PackedTaskMessage {
    /// The id of the container, which is the task's.
    public var containerID = ""
    /// The exec id.
    public var execID = ""
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__task_exec_started__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &containerID)
        fields.text("exec_id", &execID)
        fields.number("pid", &pid)
    }
}

/// Why a process ended.
public struct ExitReason: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public var rawValue: Int32
    /// Any number: those that are not known here are kept.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Nothing is said.
    public static let none = ExitReason(rawValue: 0)
    /// The kernel killed it for want of memory.
    public static let outOfMemory = ExitReason(rawValue: 1)
    /// A signal ended it.
    public static let signaled = ExitReason(rawValue: 2)
}
