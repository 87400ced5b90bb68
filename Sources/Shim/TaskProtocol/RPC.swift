import CProtobuf
import CTaskProtocol

/// What a ttrpc request frame holds; metadata is left out.
public struct RPCRequest: PackedMessage {
    public var service = ""
    public var method = ""
    /// The message of the method.
    public var payload: [UInt8] = []
    /// 0: none.
    public var timeoutNanoseconds: Int64 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__request__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Request.self)
        unsafe fields.text(&service, &packed.pointee.service, "request.service")
        unsafe fields.text(&method, &packed.pointee.method, "request.method")
        unsafe fields.data(&payload, &packed.pointee.payload)
        unsafe fields.number(&timeoutNanoseconds, &packed.pointee.timeout_nano)
    }
}

/// What a ttrpc response frame holds.
public struct RPCResponse: PackedMessage {
    /// Absent means success as well.
    public var status: RPCStatus?
    public var payload: [UInt8] = []

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__response__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Response.self)
        unsafe fields.message(&status, &packed.pointee.status)
        unsafe fields.data(&payload, &packed.pointee.payload)
    }
}

/// google.rpc.Status, without details.
public struct RPCStatus: PackedMessage {
    /// A number of gRPC; 0 is success.
    public var code: Int32 = 0
    public var message = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__status__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Status.self)
        unsafe fields.number(&code, &packed.pointee.code)
        unsafe fields.text(&message, &packed.pointee.message, "status.message")
    }
}
