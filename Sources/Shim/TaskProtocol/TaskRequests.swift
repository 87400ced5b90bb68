import CProtobuf
import CTaskProtocol

/// Of the Task service Pids, Pause, Resume, Stats and Connect; of the Sandbox service StartSandbox, Platform,
/// WaitSandbox, PingSandbox, ShutdownSandbox and SandboxMetrics.
public struct IDRequest: PackedMessage {
    public var id = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__idrequest__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__IDRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "idrequest.id")
    }
}

/// State, Start, Delete and Wait.
public struct ProcessRequest: PackedMessage {
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__process_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ProcessRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "process_request.id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "process_request.exec_id")
    }
}

/// Create.
public struct CreateTaskRequest: PackedMessage {
    public var id = ""
    public var bundle = ""
    public var rootfs: [RootfsMount] = []
    public var terminal = false
    /// Paths of fifos, or URLs; empty for none.
    public var stdin = ""
    public var stdout = ""
    public var stderr = ""
    public var checkpoint = ""
    public var parentCheckpoint = ""
    /// ``RuncOptions``, ``CRIRuntimeOptions``, or what the caller of containerd gave.
    public var options: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__create_task_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__CreateTaskRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "create_task_request.id")
        unsafe fields.text(&bundle, &packed.pointee.bundle, "create_task_request.bundle")
        unsafe fields.messages(&rootfs, &packed.pointee.n_rootfs, &packed.pointee.rootfs, "create_task_request.rootfs")
        unsafe fields.flag(&terminal, &packed.pointee.terminal)
        unsafe fields.text(&stdin, &packed.pointee.stdin, "create_task_request.stdin")
        unsafe fields.text(&stdout, &packed.pointee.stdout, "create_task_request.stdout")
        unsafe fields.text(&stderr, &packed.pointee.stderr, "create_task_request.stderr")
        unsafe fields.text(&checkpoint, &packed.pointee.checkpoint, "create_task_request.checkpoint")
        unsafe fields.text(
            &parentCheckpoint, &packed.pointee.parent_checkpoint, "create_task_request.parent_checkpoint")
        unsafe fields.message(&options, &packed.pointee.options)
    }
}

/// Exec.
public struct ExecProcessRequest: PackedMessage {
    public var id = ""
    public var execID = ""
    public var terminal = false
    /// Paths of fifos, or URLs; empty for none.
    public var stdin = ""
    public var stdout = ""
    public var stderr = ""
    /// JSON of a process of the OCI runtime spec.
    public var spec: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__exec_process_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ExecProcessRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "exec_process_request.id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "exec_process_request.exec_id")
        unsafe fields.flag(&terminal, &packed.pointee.terminal)
        unsafe fields.text(&stdin, &packed.pointee.stdin, "exec_process_request.stdin")
        unsafe fields.text(&stdout, &packed.pointee.stdout, "exec_process_request.stdout")
        unsafe fields.text(&stderr, &packed.pointee.stderr, "exec_process_request.stderr")
        unsafe fields.message(&spec, &packed.pointee.spec)
    }
}

/// ResizePty.
public struct ResizePtyRequest: PackedMessage {
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""
    /// In columns and rows.
    public var width: UInt32 = 0
    public var height: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__resize_pty_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ResizePtyRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "resize_pty_request.id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "resize_pty_request.exec_id")
        unsafe fields.number(&width, &packed.pointee.width)
        unsafe fields.number(&height, &packed.pointee.height)
    }
}

/// Kill.
public struct KillRequest: PackedMessage {
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""
    public var signal: UInt32 = 0
    /// Every process of the task.
    public var all = false

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__kill_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__KillRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "kill_request.id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "kill_request.exec_id")
        unsafe fields.number(&signal, &packed.pointee.signal)
        unsafe fields.flag(&all, &packed.pointee.all)
    }
}

/// CloseIO.
public struct CloseIORequest: PackedMessage {
    public var id = ""
    /// Empty: the task's first process.
    public var execID = ""
    public var stdin = false

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__close_iorequest__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__CloseIORequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "close_iorequest.id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "close_iorequest.exec_id")
        unsafe fields.flag(&stdin, &packed.pointee.stdin)
    }
}

/// Checkpoint.
public struct CheckpointTaskRequest: PackedMessage {
    public var id = ""
    public var path = ""
    /// ``CheckpointOptions``.
    public var options: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__checkpoint_task_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__CheckpointTaskRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "checkpoint_task_request.id")
        unsafe fields.text(&path, &packed.pointee.path, "checkpoint_task_request.path")
        unsafe fields.message(&options, &packed.pointee.options)
    }
}

/// Update.
public struct UpdateTaskRequest: PackedMessage {
    public var id = ""
    /// JSON of linux.resources of the OCI runtime spec.
    public var resources: AnyMessage?
    public var annotations: [String: String] = [:]

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__update_task_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__UpdateTaskRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "update_task_request.id")
        unsafe fields.message(&resources, &packed.pointee.resources)
        unsafe fields.map(
            &annotations, &packed.pointee.n_annotations, &packed.pointee.annotations, "update_task_request.annotations")
    }
}

/// Shutdown.
public struct ShutdownRequest: PackedMessage {
    public var id = ""
    public var now = false

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__shutdown_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ShutdownRequest.self)
        unsafe fields.text(&id, &packed.pointee.id, "shutdown_request.id")
        unsafe fields.flag(&now, &packed.pointee.now)
    }
}
