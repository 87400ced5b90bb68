import CProtobuf
import CTaskProtocol

/// The answer to Create and to Start.
public struct PidResponse: PackedMessage {
    public var pid: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__pid_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__PidResponse.self)
        unsafe fields.number(&pid, &packed.pointee.pid)
    }
}

/// The answer to State.
public struct StateResponse: PackedMessage {
    public var id = ""
    public var bundle = ""
    public var pid: UInt32 = 0
    public var status = TaskStatus.unknown
    public var stdin = ""
    public var stdout = ""
    public var stderr = ""
    public var terminal = false
    public var exitStatus: UInt32 = 0
    public var exitedAt: Timestamp?
    public var execID = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__state_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__StateResponse.self)
        unsafe fields.text(&id, &packed.pointee.id, "state_response.id")
        unsafe fields.text(&bundle, &packed.pointee.bundle, "state_response.bundle")
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.number(&status.rawValue, &packed.pointee.status)
        unsafe fields.text(&stdin, &packed.pointee.stdin, "state_response.stdin")
        unsafe fields.text(&stdout, &packed.pointee.stdout, "state_response.stdout")
        unsafe fields.text(&stderr, &packed.pointee.stderr, "state_response.stderr")
        unsafe fields.flag(&terminal, &packed.pointee.terminal)
        unsafe fields.number(&exitStatus, &packed.pointee.exit_status)
        unsafe fields.message(&exitedAt, &packed.pointee.exited_at)
        unsafe fields.text(&execID, &packed.pointee.exec_id, "state_response.exec_id")
    }
}

/// The answer to Delete; also what the shim prints for `delete`.
public struct DeleteResponse: PackedMessage {
    public var pid: UInt32 = 0
    /// 128 and the signal, for one that was killed.
    public var exitStatus: UInt32 = 0
    public var exitedAt: Timestamp?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__delete_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__DeleteResponse.self)
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.number(&exitStatus, &packed.pointee.exit_status)
        unsafe fields.message(&exitedAt, &packed.pointee.exited_at)
    }
}

/// The answer to Pids.
public struct PidsResponse: PackedMessage {
    public var processes: [ProcessInfo] = []

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__pids_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__PidsResponse.self)
        unsafe fields.messages(
            &processes, &packed.pointee.n_processes, &packed.pointee.processes, "pids_response.processes")
    }
}

/// The answer to Wait, and to WaitSandbox.
public struct WaitResponse: PackedMessage {
    public var exitStatus: UInt32 = 0
    public var exitedAt: Timestamp?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__wait_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__WaitResponse.self)
        unsafe fields.number(&exitStatus, &packed.pointee.exit_status)
        unsafe fields.message(&exitedAt, &packed.pointee.exited_at)
    }
}

/// The answer to Stats.
public struct StatsResponse: PackedMessage {
    /// ``CgroupV1/Metrics`` or ``CgroupV2/Metrics``.
    public var stats: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__stats_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__StatsResponse.self)
        unsafe fields.message(&stats, &packed.pointee.stats)
    }
}

/// The answer to Connect.
public struct ConnectResponse: PackedMessage {
    public var shimPID: UInt32 = 0
    public var taskPID: UInt32 = 0
    public var version = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__connect_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ConnectResponse.self)
        unsafe fields.number(&shimPID, &packed.pointee.shim_pid)
        unsafe fields.number(&taskPID, &packed.pointee.task_pid)
        unsafe fields.text(&version, &packed.pointee.version, "connect_response.version")
    }
}

/// An answer without fields: Pause, Resume, Checkpoint, Kill, Exec, ResizePty, CloseIO, Update, Shutdown, Forward;
/// CreateSandbox, StopSandbox, PingSandbox, ShutdownSandbox.
public enum EmptyResponse {
    public static let encoded: [UInt8] = []
}

/// The status of a process.
public struct TaskStatus: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let unknown = TaskStatus(rawValue: 0)
    public static let created = TaskStatus(rawValue: 1)
    public static let running = TaskStatus(rawValue: 2)
    public static let stopped = TaskStatus(rawValue: 3)
    public static let paused = TaskStatus(rawValue: 4)
    public static let pausing = TaskStatus(rawValue: 5)
}
