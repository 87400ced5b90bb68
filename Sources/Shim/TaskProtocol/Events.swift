import CProtobuf
import CTaskProtocol

/// Forward, of containerd's Events service.
public struct ForwardRequest: PackedMessage {
    public var envelope: EventEnvelope?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__forward_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ForwardRequest.self)
        unsafe fields.message(&envelope, &packed.pointee.envelope)
    }
}

/// An event on its way to containerd.
public struct EventEnvelope: PackedMessage {
    public var timestamp: Timestamp?
    public var namespace = ""
    /// As ``EventTopic``.
    public var topic = ""
    public var event: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__envelope__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Envelope.self)
        unsafe fields.message(&timestamp, &packed.pointee.timestamp)
        unsafe fields.text(&namespace, &packed.pointee.namespace_, "envelope.namespace")
        unsafe fields.text(&topic, &packed.pointee.topic, "envelope.topic")
        unsafe fields.message(&event, &packed.pointee.event)
    }
}

/// A task was created.
public struct TaskCreate: PackedMessage {
    public var containerID = ""
    public var bundle = ""
    public var rootfs: [RootfsMount] = []
    public var io: TaskIO?
    public var checkpoint = ""
    public var pid: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_create__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskCreate.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_create.container_id")
        unsafe fields.text(&bundle, &packed.pointee.bundle, "task_create.bundle")
        unsafe fields.messages(&rootfs, &packed.pointee.n_rootfs, &packed.pointee.rootfs, "task_create.rootfs")
        unsafe fields.message(&io, &packed.pointee.io)
        unsafe fields.text(&checkpoint, &packed.pointee.checkpoint, "task_create.checkpoint")
        unsafe fields.number(&pid, &packed.pointee.pid)
    }
}

/// Where a task's streams are.
public struct TaskIO: PackedMessage {
    public var stdin = ""
    public var stdout = ""
    public var stderr = ""
    public var terminal = false

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_io__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskIO.self)
        unsafe fields.text(&stdin, &packed.pointee.stdin, "task_io.stdin")
        unsafe fields.text(&stdout, &packed.pointee.stdout, "task_io.stdout")
        unsafe fields.text(&stderr, &packed.pointee.stderr, "task_io.stderr")
        unsafe fields.flag(&terminal, &packed.pointee.terminal)
    }
}

/// A task's first process was started.
public struct TaskStart: PackedMessage {
    public var containerID = ""
    public var pid: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_start__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskStart.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_start.container_id")
        unsafe fields.number(&pid, &packed.pointee.pid)
    }
}

/// A process ended.
public struct TaskExit: PackedMessage {
    public var containerID = ""
    /// The exec id; the container's id for the first process.
    public var id = ""
    public var pid: UInt32 = 0
    public var exitStatus: UInt32 = 0
    public var exitedAt: Timestamp?
    /// Newer than containerd 2.2, which leaves it out.
    public var exitReason = ExitReason.none

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_exit__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskExit.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_exit.container_id")
        unsafe fields.text(&id, &packed.pointee.id, "task_exit.id")
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.number(&exitStatus, &packed.pointee.exit_status)
        unsafe fields.message(&exitedAt, &packed.pointee.exited_at)
        unsafe fields.number(&exitReason.rawValue, &packed.pointee.exit_reason)
    }
}

/// A process was deleted.
public struct TaskDelete: PackedMessage {
    public var containerID = ""
    public var pid: UInt32 = 0
    public var exitStatus: UInt32 = 0
    public var exitedAt: Timestamp?
    /// The exec id; empty for the first process.
    public var id = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_delete__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskDelete.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_delete.container_id")
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.number(&exitStatus, &packed.pointee.exit_status)
        unsafe fields.message(&exitedAt, &packed.pointee.exited_at)
        unsafe fields.text(&id, &packed.pointee.id, "task_delete.id")
    }
}

/// Out of memory, paused, resumed: which one is said by the topic and the type.
public struct TaskNotice: PackedMessage {
    public var containerID = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_notice__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskNotice.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_notice.container_id")
    }
}

/// A further process was made.
public struct TaskExecAdded: PackedMessage {
    public var containerID = ""
    public var execID = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_exec_added__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskExecAdded.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_exec_added.container_id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "task_exec_added.exec_id")
    }
}

/// A further process was started.
public struct TaskExecStarted: PackedMessage {
    public var containerID = ""
    public var execID = ""
    public var pid: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__task_exec_started__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__TaskExecStarted.self)
        unsafe fields.text(&containerID, &packed.pointee.container_id, "task_exec_started.container_id")
        unsafe fields.text(&execID, &packed.pointee.exec_id, "task_exec_started.exec_id")
        unsafe fields.number(&pid, &packed.pointee.pid)
    }
}

/// Why a process ended.
public struct ExitReason: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let none = ExitReason(rawValue: 0)
    public static let outOfMemory = ExitReason(rawValue: 1)
    public static let signaled = ExitReason(rawValue: 2)
}
