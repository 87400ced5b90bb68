import CProtobuf
import CTaskProtocol

/// Carries fields between a message's Swift value and protobuf-c's structure, one way or the other: who lists its
/// fields once can be read and written. The first field that cannot be read is kept as `failure`.
@safe final class FieldExchange {
    enum Direction {
        case reading
        /// What the structures point to is taken from the arena.
        case writing(PackingArena)
    }

    private let direction: Direction
    private(set) var failure: TaskProtocolError?

    init(_ direction: Direction) {
        self.direction = direction
    }

    func number<Number: FixedWidthInteger>(_ value: inout Number, _ packed: inout Number) {
        switch direction {
        case .reading: value = packed
        case .writing: packed = value
        }
    }

    func flag(_ value: inout Bool, _ packed: inout protobuf_c_boolean) {
        switch direction {
        case .reading: value = packed != 0
        case .writing: packed = value ? 1 : 0
        }
    }

    func data(_ value: inout [UInt8], _ packed: inout ProtobufCBinaryData) {
        switch direction {
        case .reading: value = unsafe Array(UnsafeBufferPointer(start: packed.data, count: packed.len))
        case .writing(let arena): unsafe packed = arena.bytes(value)
        }
    }

    func text(_ value: inout String, _ packed: inout ProtobufCBinaryData, _ field: StaticString) {
        switch direction {
        case .reading: value = unsafe string(packed, field)
        case .writing(let arena): unsafe packed = arena.bytes(value.utf8)
        }
    }

    func texts(
        _ value: inout [String], _ count: inout Int, _ packed: inout UnsafeMutablePointer<ProtobufCBinaryData>?,
        _ field: StaticString
    ) {
        switch direction {
        case .reading:
            value = unsafe read(count, packed, field) { unsafe string($0, field) }
        case .writing(let arena):
            count = value.count
            unsafe packed = arena.list(value.map { unsafe arena.bytes($0.utf8) })
        }
    }

    func numbers(
        _ value: inout [UInt64], _ count: inout Int, _ packed: inout UnsafeMutablePointer<UInt64>?,
        _ field: StaticString
    ) {
        switch direction {
        case .reading:
            value = unsafe read(count, packed, field) { $0 }
        case .writing(let arena):
            count = value.count
            unsafe packed = arena.list(value)
        }
    }

    /// `C` is the structure of `Message`.
    func message<Message: PackedMessage, C: BitwiseCopyable>(
        _ value: inout Message?, _ packed: inout UnsafeMutablePointer<C>?
    ) {
        switch direction {
        case .reading:
            value = unsafe packed.map { unsafe read(Structure(address: $0)) }
        case .writing(let arena):
            unsafe packed = value.map { unsafe write($0, arena).of(C.self) }
        }
    }

    /// `C` is the structure of `Message`.
    func messages<Message: PackedMessage, C: BitwiseCopyable>(
        _ value: inout [Message], _ count: inout Int,
        _ packed: inout UnsafeMutablePointer<UnsafeMutablePointer<C>?>?, _ field: StaticString
    ) {
        switch direction {
        case .reading:
            value = unsafe read(count, packed, field) { pointer in
                unsafe pointer.map { unsafe read(Structure(address: $0)) } ?? Message()
            }
        case .writing(let arena):
            count = value.count
            unsafe packed = arena.list(value.map { unsafe write($0, arena).of(C.self) })
        }
    }

    /// A map of strings. Written in the order of the keys, so that what is the same reads the same.
    func map(
        _ value: inout [String: String], _ count: inout Int,
        _ packed: inout UnsafeMutablePointer<UnsafeMutablePointer<Fcrunc__Task__Pair>?>?, _ field: StaticString
    ) {
        var pairs = value.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) }
        unsafe messages(&pairs, &count, &packed, field)
        value = Dictionary(pairs.map { ($0.key, $0.value) }) { first, _ in
            fail(.repeatedKey(field: "\(field)"))
            return first
        }
    }

    private func read<Message: PackedMessage>(_ structure: Structure) -> Message {
        var message = Message()
        message.exchange(structure, self)
        return message
    }

    private func write(_ message: some PackedMessage, _ arena: PackingArena) -> Structure {
        var message = message
        let structure = arena.place(type(of: message).structure)
        message.exchange(structure, self)
        return structure
    }

    private func read<Packed, Value>(
        _ count: Int, _ packed: UnsafeMutablePointer<Packed>?, _ field: StaticString, _ convert: (Packed) -> Value
    ) -> [Value] {
        guard count <= TaskMessageLimit.entries else {
            fail(.tooMany(field: "\(field)", count: count, limit: TaskMessageLimit.entries))
            return []
        }
        return unsafe UnsafeBufferPointer(start: packed, count: count).map(convert)
    }

    private func string(_ packed: ProtobufCBinaryData, _ field: StaticString) -> String {
        let bytes = unsafe UnsafeBufferPointer(start: packed.data, count: packed.len)
        guard let text = unsafe String(validating: bytes, as: UTF8.self) else {
            fail(.notUTF8(field: "\(field)"))
            return ""
        }
        if text.utf8.contains(0) { fail(.containsNUL(field: "\(field)")) }
        return text
    }

    private func fail(_ failure: TaskProtocolError) {
        if self.failure == nil { self.failure = failure }
    }
}
