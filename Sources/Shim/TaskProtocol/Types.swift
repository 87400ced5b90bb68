import CProtobuf
import CTaskProtocol

/// One mount of a root file system; they are made in their order.
public struct RootfsMount: PackedMessage {
    public var type = ""
    public var source = ""
    /// Where, below the root file system.
    public var target = ""
    /// As in fstab(5).
    public var options: [String] = []

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__mount__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Mount.self)
        unsafe fields.text(&type, &packed.pointee.type, "mount.type")
        unsafe fields.text(&source, &packed.pointee.source, "mount.source")
        unsafe fields.text(&target, &packed.pointee.target, "mount.target")
        unsafe fields.texts(&options, &packed.pointee.n_options, &packed.pointee.options, "mount.options")
    }
}

/// What a sandbox runs: the words of an image's platform.
public struct PlatformDescription: PackedMessage {
    public var os = ""
    public var architecture = ""
    public var variant = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__platform__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Platform.self)
        unsafe fields.text(&os, &packed.pointee.os, "platform.os")
        unsafe fields.text(&architecture, &packed.pointee.architecture, "platform.architecture")
        unsafe fields.text(&variant, &packed.pointee.variant, "platform.variant")
    }
}

/// Figures, and when they were taken.
public struct Metric: PackedMessage {
    public var timestamp: Timestamp?
    public var data: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__metric__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Metric.self)
        unsafe fields.message(&timestamp, &packed.pointee.timestamp)
        unsafe fields.message(&data, &packed.pointee.data)
    }
}

/// One process of a task.
public struct ProcessInfo: PackedMessage {
    public var pid: UInt32 = 0
    /// ``ProcessDetails``, for those with an exec id.
    public var info: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__process_info__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ProcessInfo.self)
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.message(&info, &packed.pointee.info)
    }
}
