// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// Of the Task service Pids, Pause, Resume, Stats and Connect; of the Sandbox service StartSandbox, Platform,
/// WaitSandbox, PingSandbox, ShutdownSandbox and SandboxMetrics.
public struct IDRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__idrequest__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
    }
}

/// State, Start, Delete and Wait.
public struct ProcessRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__process_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("exec_id", &execID)
    }
}

/// Create.
public struct CreateTaskRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// The absolute path of the bundle.
    public var bundle = ""
    /// The mounts of which the root file system is made.
    public var rootfs: [RootfsMount] = []
    /// Whether the process has a terminal.
    public var terminal = false
    /// Paths of fifos, or URLs; empty for none.
    public var stdin = ""
    /// Where standard output goes: the path of a fifo, or a URL; empty for none.
    public var stdout = ""
    /// Where standard error goes: the path of a fifo, or a URL; empty for none.
    public var stderr = ""
    /// The path of a checkpoint to restore from; empty for none.
    public var checkpoint = ""
    /// The path of the checkpoint that it builds upon; empty for none.
    public var parentCheckpoint = ""
    /// ``RuncOptions``, ``CRIRuntimeOptions``, or what the caller of containerd gave.
    public var options: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__create_task_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("bundle", &bundle)
        fields.messages("rootfs", &rootfs)
        fields.flag("terminal", &terminal)
        fields.text("stdin", &stdin)
        fields.text("stdout", &stdout)
        fields.text("stderr", &stderr)
        fields.text("checkpoint", &checkpoint)
        fields.text("parent_checkpoint", &parentCheckpoint)
        fields.message("options", &options)
    }
}

/// Exec.
public struct ExecProcessRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// The exec id.
    public var execID = ""
    /// Whether the process has a terminal.
    public var terminal = false
    /// Paths of fifos, or URLs; empty for none.
    public var stdin = ""
    /// Where standard output goes: the path of a fifo, or a URL; empty for none.
    public var stdout = ""
    /// Where standard error goes: the path of a fifo, or a URL; empty for none.
    public var stderr = ""
    /// JSON of a process of the OCI runtime spec.
    public var spec: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__exec_process_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("exec_id", &execID)
        fields.flag("terminal", &terminal)
        fields.text("stdin", &stdin)
        fields.text("stdout", &stdout)
        fields.text("stderr", &stderr)
        fields.message("spec", &spec)
    }
}

/// ResizePty.
public struct ResizePtyRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""
    /// In columns and rows.
    public var width: UInt32 = 0
    /// The number of rows.
    public var height: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__resize_pty_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("exec_id", &execID)
        fields.number("width", &width)
        fields.number("height", &height)
    }
}

/// Kill.
public struct KillRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""
    /// The number of the signal, signal(7).
    public var signal: UInt32 = 0
    /// Every process of the task.
    public var all = false

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__kill_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("exec_id", &execID)
        fields.number("signal", &signal)
        fields.flag("all", &all)
    }
}

/// CloseIO.
public struct CloseIORequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""
    /// Whether it is standard input that is closed.
    public var stdin = false

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__close_iorequest__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("exec_id", &execID)
        fields.flag("stdin", &stdin)
    }
}

/// Checkpoint.
public struct CheckpointTaskRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// Where to write the checkpoint: the path of a directory.
    public var path = ""
    /// ``CheckpointOptions``.
    public var options: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__checkpoint_task_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.text("path", &path)
        fields.message("options", &options)
    }
}

/// Update.
public struct UpdateTaskRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// JSON of linux.resources of the OCI runtime spec.
    public var resources: AnyMessage?
    /// Annotations, by their keys.
    public var annotations: [String: String] = [:]

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__update_task_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.message("resources", &resources)
        fields.map("annotations", &annotations)
    }
}

/// Shutdown.
public struct ShutdownRequest: PackedTaskMessage {
    /// The id of the task, which is its container's.
    public var id = ""
    /// Whether to end at once.
    public var now = false

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__shutdown_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.flag("now", &now)
    }
}
