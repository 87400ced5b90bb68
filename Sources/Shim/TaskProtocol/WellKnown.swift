import CProtobuf
import CTaskProtocol

/// google.protobuf.Any: a message, or JSON, with the name of its type.
public struct AnyMessage: PackedMessage {
    public var typeURL = ""
    public var value: [UInt8] = []

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__any__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Any.self)
        unsafe fields.text(&typeURL, &packed.pointee.type_url, "any.type_url")
        unsafe fields.data(&value, &packed.pointee.value)
    }
}

/// google.protobuf.Timestamp: since 1970, UTC.
public struct Timestamp: PackedMessage {
    public var seconds: Int64 = 0
    /// 0 to 999 999 999.
    public var nanoseconds: Int32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__timestamp__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Timestamp.self)
        unsafe fields.number(&seconds, &packed.pointee.seconds)
        unsafe fields.number(&nanoseconds, &packed.pointee.nanos)
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
    public init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

/// An entry of a map.
struct Pair: PackedMessage {
    var key = ""
    var value = ""

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__pair__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Pair.self)
        unsafe fields.text(&key, &packed.pointee.key, "map.key")
        unsafe fields.text(&value, &packed.pointee.value, "map.value")
    }
}
