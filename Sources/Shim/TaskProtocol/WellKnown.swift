// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// google.protobuf.Any: a message, or JSON, with the name of its type.
public struct AnyMessage: PackedTaskMessage {
    /// The name of the type, as ``TypeName``.
    public var typeURL = ""
    /// The message packed, or the text of the JSON.
    public var value: [UInt8] = []

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__any__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("type_url", &typeURL)
        fields.data("value", &value)
    }
}

/// google.protobuf.Timestamp: since 1970, UTC.
public struct Timestamp: PackedTaskMessage {
    /// Whole seconds.
    public var seconds: Int64 = 0
    /// 0 to 999 999 999.
    public var nanoseconds: Int32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__timestamp__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("seconds", &seconds)
        fields.number("nanos", &nanoseconds)
    }
}

extension AnyMessage {
    /// - Parameter type: a name of ``TypeName``.
    public init(type: String, value: [UInt8]) {
        typeURL = type
        self.value = value
    }

    /// A message as containerd packs it: the bare name of its type as the URL.
    public init(type: String, _ message: some TaskMessage) {
        self.init(type: type, value: message.encoded())
    }

    /// Whether this is a `type` of ``TypeName``: the URL as it is, or behind what protobuf puts in front of names.
    public func isA(_ type: String) -> Bool {
        typeURL == type || typeURL == "type.googleapis.com/" + type
    }
}

extension Timestamp {
    /// A moment after 1970.
    public init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}
