// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// CreateSandbox.
public struct CreateSandboxRequest: PackedTaskMessage {
    /// The id of the sandbox.
    public var sandboxID = ""
    /// The absolute path of the bundle.
    public var bundlePath = ""
    /// The mounts of which the root file system is made.
    public var rootfs: [RootfsMount] = []
    /// Options for the runtime.
    public var options: AnyMessage?
    /// The path of the network namespace; empty for none.
    public var netnsPath = ""
    /// Annotations, by their keys.
    public var annotations: [String: String] = [:]

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__create_sandbox_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("sandbox_id", &sandboxID)
        fields.text("bundle_path", &bundlePath)
        fields.messages("rootfs", &rootfs)
        fields.message("options", &options)
        fields.text("netns_path", &netnsPath)
        fields.map("annotations", &annotations)
    }
}

/// The answer to StartSandbox.
public struct StartSandboxResponse: PackedTaskMessage {
    /// The pid on the host of the sandbox's first process.
    public var pid: UInt32 = 0
    /// When it was created.
    public var createdAt: Timestamp?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__start_sandbox_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("pid", &pid)
        fields.message("created_at", &createdAt)
    }
}

/// The answer to Platform.
public struct PlatformResponse: PackedTaskMessage {
    /// What the sandbox runs.
    public var platform: PlatformDescription?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__platform_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("platform", &platform)
    }
}

/// StopSandbox.
public struct StopSandboxRequest: PackedTaskMessage {
    /// The id of the sandbox.
    public var sandboxID = ""
    /// How many seconds the end may take.
    public var timeoutSeconds: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__stop_sandbox_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("sandbox_id", &sandboxID)
        fields.number("timeout_secs", &timeoutSeconds)
    }
}

/// SandboxStatus.
public struct SandboxStatusRequest: PackedTaskMessage {
    /// The id of the sandbox.
    public var sandboxID = ""
    /// Whether `info` is asked for.
    public var verbose = false

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__sandbox_status_request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("sandbox_id", &sandboxID)
        fields.flag("verbose", &verbose)
    }
}

/// The answer to SandboxStatus.
public struct SandboxStatusResponse: PackedTaskMessage {
    /// The id of the sandbox.
    public var sandboxID = ""
    /// The pid on the host of the sandbox's first process.
    public var pid: UInt32 = 0
    /// As ``SandboxState``.
    public var state = ""
    /// Where the request was verbose.
    public var info: [String: String] = [:]
    /// When it was created.
    public var createdAt: Timestamp?
    /// When it ended.
    public var exitedAt: Timestamp?
    /// More, by its type.
    public var extra: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__sandbox_status_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("sandbox_id", &sandboxID)
        fields.number("pid", &pid)
        fields.text("state", &state)
        fields.map("info", &info)
        fields.message("created_at", &createdAt)
        fields.message("exited_at", &exitedAt)
        fields.message("extra", &extra)
    }
}

/// The answer to SandboxMetrics.
public struct SandboxMetricsResponse: PackedTaskMessage {
    /// The figures of the sandbox.
    public var metrics: Metric?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__sandbox_metrics_response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("metrics", &metrics)
    }
}
