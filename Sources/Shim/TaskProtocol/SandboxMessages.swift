import CProtobuf
import CTaskProtocol

/// CreateSandbox.
public struct CreateSandboxRequest: PackedMessage {
    public var sandboxID = ""
    public var bundlePath = ""
    public var rootfs: [RootfsMount] = []
    public var options: AnyMessage?
    public var netnsPath = ""
    public var annotations: [String: String] = [:]

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__create_sandbox_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__CreateSandboxRequest.self)
        unsafe fields.text(&sandboxID, &packed.pointee.sandbox_id, "create_sandbox_request.sandbox_id")
        unsafe fields.text(&bundlePath, &packed.pointee.bundle_path, "create_sandbox_request.bundle_path")
        unsafe fields.messages(
            &rootfs, &packed.pointee.n_rootfs, &packed.pointee.rootfs, "create_sandbox_request.rootfs")
        unsafe fields.message(&options, &packed.pointee.options)
        unsafe fields.text(&netnsPath, &packed.pointee.netns_path, "create_sandbox_request.netns_path")
        unsafe fields.map(
            &annotations, &packed.pointee.n_annotations, &packed.pointee.annotations,
            "create_sandbox_request.annotations")
    }
}

/// The answer to StartSandbox.
public struct StartSandboxResponse: PackedMessage {
    public var pid: UInt32 = 0
    public var createdAt: Timestamp?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__start_sandbox_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__StartSandboxResponse.self)
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.message(&createdAt, &packed.pointee.created_at)
    }
}

/// The answer to Platform.
public struct PlatformResponse: PackedMessage {
    public var platform: PlatformDescription?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__platform_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__PlatformResponse.self)
        unsafe fields.message(&platform, &packed.pointee.platform)
    }
}

/// StopSandbox.
public struct StopSandboxRequest: PackedMessage {
    public var sandboxID = ""
    public var timeoutSeconds: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__stop_sandbox_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__StopSandboxRequest.self)
        unsafe fields.text(&sandboxID, &packed.pointee.sandbox_id, "stop_sandbox_request.sandbox_id")
        unsafe fields.number(&timeoutSeconds, &packed.pointee.timeout_secs)
    }
}

/// SandboxStatus.
public struct SandboxStatusRequest: PackedMessage {
    public var sandboxID = ""
    public var verbose = false

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__sandbox_status_request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__SandboxStatusRequest.self)
        unsafe fields.text(&sandboxID, &packed.pointee.sandbox_id, "sandbox_status_request.sandbox_id")
        unsafe fields.flag(&verbose, &packed.pointee.verbose)
    }
}

/// The answer to SandboxStatus.
public struct SandboxStatusResponse: PackedMessage {
    public var sandboxID = ""
    public var pid: UInt32 = 0
    /// As ``SandboxState``.
    public var state = ""
    /// Where the request was verbose.
    public var info: [String: String] = [:]
    public var createdAt: Timestamp?
    public var exitedAt: Timestamp?
    public var extra: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__sandbox_status_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__SandboxStatusResponse.self)
        unsafe fields.text(&sandboxID, &packed.pointee.sandbox_id, "sandbox_status_response.sandbox_id")
        unsafe fields.number(&pid, &packed.pointee.pid)
        unsafe fields.text(&state, &packed.pointee.state, "sandbox_status_response.state")
        unsafe fields.map(&info, &packed.pointee.n_info, &packed.pointee.info, "sandbox_status_response.info")
        unsafe fields.message(&createdAt, &packed.pointee.created_at)
        unsafe fields.message(&exitedAt, &packed.pointee.exited_at)
        unsafe fields.message(&extra, &packed.pointee.extra)
    }
}

/// The answer to SandboxMetrics.
public struct SandboxMetricsResponse: PackedMessage {
    public var metrics: Metric?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__sandbox_metrics_response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__SandboxMetricsResponse.self)
        unsafe fields.message(&metrics, &packed.pointee.metrics)
    }
}
