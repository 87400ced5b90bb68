// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// What a ttrpc request frame holds; metadata is left out.
public struct RPCRequest: PackedTaskMessage {
    /// The full name of the service, as ``ServiceName``.
    public var service = ""
    /// The name of the method.
    public var method = ""
    /// The message of the method.
    public var payload: [UInt8] = []
    /// 0: none.
    public var timeoutNanoseconds: Int64 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__request__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("service", &service)
        fields.text("method", &method)
        fields.data("payload", &payload)
        fields.number("timeout_nano", &timeoutNanoseconds)
    }
}

/// What a ttrpc response frame holds.
public struct RPCResponse: PackedTaskMessage {
    /// Absent means success as well.
    public var status: RPCStatus?
    /// The message of the method.
    public var payload: [UInt8] = []

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__response__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.message("status", &status)
        fields.data("payload", &payload)
    }
}

/// google.rpc.Status, without details.
public struct RPCStatus: PackedTaskMessage {
    /// A number of gRPC; 0 is success.
    public var code: Int32 = 0
    /// For a person.
    public var message = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__status__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("code", &code)
        fields.text("message", &message)
    }
}
