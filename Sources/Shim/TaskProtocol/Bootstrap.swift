// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// What `start` reads from its standard input, from containerd 2.3 on. Older ones send an ``AnyMessage`` of options, which
/// decodes as this as well: it is one only where `instanceID` and `namespace` are those of the command line.
public struct BootstrapParams: PackedTaskMessage {
    /// The id of the container, or of the sandbox.
    public var instanceID = ""
    /// The containerd namespace.
    public var namespace = ""
    /// 0: information; -4 and below: debugging; 4, 8 and above: warnings, errors.
    public var logLevel: Int32 = 0
    /// containerd's version.
    public var containerdVersion = ""
    /// Where containerd takes events, by ttrpc.
    public var containerdTTRPCAddress = ""
    /// containerd's main socket.
    public var containerdGRPCAddress = ""
    /// The path of containerd's program.
    public var containerdBinary = ""
    /// Options among them.
    public var extensions: [BootstrapExtension] = []
    /// Where to put the socket; empty: the shim's choice.
    public var socketDir = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__bootstrap_params__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("instance_id", &instanceID)
        fields.text("namespace", &namespace)
        fields.number("log_level", &logLevel)
        fields.text("containerd_version", &containerdVersion)
        fields.text("containerd_ttrpc_address", &containerdTTRPCAddress)
        fields.text("containerd_grpc_address", &containerdGRPCAddress)
        fields.text("containerd_binary", &containerdBinary)
        fields.messages("extensions", &extensions)
        fields.text("socket_dir", &socketDir)
    }
}

/// Anything else, by its type.
public struct BootstrapExtension: PackedTaskMessage {
    /// The message, with the name of its type.
    public var value: AnyMessage?

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__extension__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("value", &value)
    }
}

/// What `start` may print, from containerd 2.3 on.
public struct BootstrapResult: PackedTaskMessage {
    /// Of the Task service: 2 or 3.
    public var version: Int32 = 0
    /// Where the shim serves.
    public var address = ""
    /// `ttrpc`.
    public var `protocol` = ""
    /// More, by its keys.
    public var metadata: [String: String] = [:]

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__bootstrap_result__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("version", &version)
        fields.text("address", &address)
        fields.text("protocol", &`protocol`)
        fields.map("metadata", &metadata)
    }
}
