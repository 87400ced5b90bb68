import CProtobuf
import CTaskProtocol

/// A message of the task protocol. All fields have protobuf's defaults until set; unknown fields are left out.
public protocol TaskMessage: Hashable, Sendable {
    init()

    /// Reads what anybody may have sent.
    init(decoding bytes: [UInt8]) throws(TaskProtocolError)

    func encoded() -> [UInt8]
}

extension TaskMessage {
    /// A message with the fields that `fill` sets.
    public static func with(_ fill: (inout Self) -> Void) -> Self {
        var message = Self()
        fill(&message)
        return message
    }
}

/// A message that protobuf-c packs and unpacks. Each names its structure and says once, for both directions, which
/// field is which.
protocol PackedMessage: TaskMessage {
    static var structure: StructureKind { get }
    /// Has `fields` carry each field over, in its direction. `structure` is of the kind above.
    mutating func exchange(_ structure: Structure, _ fields: FieldExchange)
}

extension PackedMessage {
    public init(decoding bytes: [UInt8]) throws(TaskProtocolError) {
        guard bytes.count <= TaskMessageLimit.byteCount else { throw .tooLong(byteCount: bytes.count) }
        let arena = PackingArena(limit: TaskMessageLimit.memory)
        // What protobuf-c unpacks lives in the arena.
        defer { withExtendedLifetime(arena) {} }
        guard let structure = arena.unpack(bytes, Self.structure) else {
            throw .notAMessage(kind: "\(Self.self)", byteCount: bytes.count)
        }
        let fields = FieldExchange(.reading)
        self.init()
        exchange(structure, fields)
        if let failure = fields.failure { throw failure }
    }

    public func encoded() -> [UInt8] {
        let arena = PackingArena(limit: .max)
        // What the structures point to lives in the arena.
        defer { withExtendedLifetime(arena) {} }
        var message = self
        let structure = arena.place(Self.structure)
        message.exchange(structure, FieldExchange(.writing(arena)))
        return structure.packed()
    }
}
