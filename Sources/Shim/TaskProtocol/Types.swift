// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// One mount of a root file system; they are made in their order.
public struct RootfsMount: PackedTaskMessage {
    /// The type of the file system, mount(8).
    public var type = ""
    /// What is mounted.
    public var source = ""
    /// Where, below the root file system.
    public var target = ""
    /// As in fstab(5).
    public var options: [String] = []

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__mount__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("type", &type)
        fields.text("source", &source)
        fields.text("target", &target)
        fields.texts("options", &options)
    }
}

/// What a sandbox runs: the words of an image's platform.
public struct PlatformDescription: PackedTaskMessage {
    /// `linux`.
    public var os = ""
    /// As Go names it: `amd64`.
    public var architecture = ""
    /// As Go names it; empty for none.
    public var variant = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__platform__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("os", &os)
        fields.text("architecture", &architecture)
        fields.text("variant", &variant)
    }
}

/// Figures, and when they were taken.
public struct Metric: PackedTaskMessage {
    /// When it was.
    public var timestamp: Timestamp?
    /// The figures, by their type.
    public var data: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__metric__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("timestamp", &timestamp)
        fields.message("data", &data)
    }
}

/// One process of a task.
public struct ProcessInfo: PackedTaskMessage {
    /// The process's pid on the host; 0 if it has none.
    public var pid: UInt32 = 0
    /// ``ProcessDetails``, for those with an exec id.
    public var info: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__process_info__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("pid", &pid)
        fields.message("info", &info)
    }
}
