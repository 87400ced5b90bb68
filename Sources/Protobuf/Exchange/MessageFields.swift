// SPDX-License-Identifier: Apache-2.0
import CProtobuf

/// One message on its way between Swift values and protobuf-c's structures.
final class Transfer {
    enum Direction {
        case reading(entryLimit: Int)
        /// What the structures point to is taken from the arena.
        case writing(MessageArena)
    }

    let direction: Direction
    private(set) var failure: MessageError?

    init(_ direction: Direction) {
        self.direction = direction
    }

    /// The first failure is kept.
    func fail(_ failure: MessageError) {
        if self.failure == nil { self.failure = failure }
    }
}

/// The fields of one message, carried between its value and protobuf-c's structure, one way or the other.
///
/// Fields go by their names in the .proto. To name one that the message lacks, or as something else than it is, is a mistake
/// in the program and ends it. What a peer got wrong is kept as the message's failure, and a value that is of no use stands
/// in the field's place.
@safe package struct MessageFields {
    let structure: MessageStructure
    let transfer: Transfer

    init(_ structure: MessageStructure, _ transfer: Transfer) {
        self.structure = structure
        self.transfer = transfer
    }

    /// Whether values are filled from the message, not the message from values.
    package var isReading: Bool {
        if case .reading = transfer.direction { true } else { false }
    }

    /// Refuses the message for a field's sake.
    ///
    /// - Parameter error: makes the error of the field's name.
    package func fail(_ name: StaticString, _ error: (_ field: String) -> MessageError) {
        transfer.fail(error(structure.kind.path(name)))
    }

    /// Refuses the message, whose bytes say what two others would.
    package func failAsNotCanonical() {
        transfer.fail(.notCanonical)
    }

    // MARK: Numbers

    package func number<Number: FixedWidthInteger & BitwiseCopyable>(_ name: StaticString, _ value: inout Number) {
        let slot = slot(name, .number(bitWidth: Number.bitWidth, isSigned: Number.isSigned))
        if isReading {
            value = unsafe slot.value.load(as: Number.self)
        } else {
            unsafe slot.value.storeBytes(of: value, as: Number.self)
        }
    }

    /// A number that is a `Wire` in the message and must fit a smaller type.
    package func number<Number: FixedWidthInteger, Wire: FixedWidthInteger & BitwiseCopyable>(
        _ name: StaticString, _ value: inout Number, as _: Wire.Type
    ) {
        var wire = Wire(value)
        number(name, &wire)
        guard let number = Number(exactly: wire) else {
            return fail(name) { .outOfRange(field: $0, value: Int64(clamping: wire)) }
        }
        value = number
    }

    /// A number that is there where the field `flag` is set.
    package func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ name: StaticString, ifSet flag: StaticString, _ value: inout Number?
    ) {
        var number = value ?? 0
        var isSet = value != nil
        self.number(name, &number)
        self.flag(flag, &isSet)
        value = isSet ? number : nil
    }

    package func numbers<Number: FixedWidthInteger & BitwiseCopyable>(_ name: StaticString, _ values: inout [Number]) {
        list(name, .number(bitWidth: Number.bitWidth, isSigned: Number.isSigned), &values, limit: nil) {
            $0
        } pack: {
            number, _ in
            number
        }
    }

    /// One of the values that `Value` knows.
    package func choice<Value: RawRepresentable>(
        _ name: StaticString, _ value: inout Value
    ) where Value.RawValue: FixedWidthInteger & BitwiseCopyable {
        var number = value.rawValue
        self.number(name, &number)
        guard let known = Value(rawValue: number) else {
            return fail(name) { .unknownValue(field: $0, value: Int64(clamping: number)) }
        }
        value = known
    }

    /// One of the values that `Value` knows; 0 is nil.
    package func choice<Value: RawRepresentable>(
        _ name: StaticString, _ value: inout Value?
    ) where Value.RawValue: FixedWidthInteger & BitwiseCopyable {
        var number = value?.rawValue ?? 0
        self.number(name, &number)
        value = Value(rawValue: number)
        if value == nil, number != 0 { fail(name) { .unknownValue(field: $0, value: Int64(clamping: number)) } }
    }

    package func flag(_ name: StaticString, _ value: inout Bool) {
        let slot = slot(name, .flag)
        if isReading {
            value = unsafe slot.value.load(as: protobuf_c_boolean.self) != 0
        } else {
            unsafe slot.value.storeBytes(of: value ? 1 : 0, as: protobuf_c_boolean.self)
        }
    }

    // MARK: Bytes

    package func data(_ name: StaticString, _ value: inout [UInt8]) {
        let slot = slot(name, .bytes)
        switch transfer.direction {
        case .reading: value = unsafe Array(Self.bytes(slot.value.load(as: ProtobufCBinaryData.self)))
        case .writing(let arena):
            unsafe slot.value.storeBytes(of: arena.bytes(value), as: ProtobufCBinaryData.self)
        }
    }

    /// UTF-8 without a NUL.
    package func text(_ name: StaticString, _ value: inout String) {
        let slot = slot(name, .bytes)
        switch transfer.direction {
        case .reading: value = unsafe text(name, slot.value.load(as: ProtobufCBinaryData.self))
        case .writing(let arena):
            unsafe slot.value.storeBytes(of: data(name, value, arena), as: ProtobufCBinaryData.self)
        }
    }

    /// A text that is nil where it is empty.
    package func text(_ name: StaticString, _ value: inout String?) {
        var text = value ?? ""
        self.text(name, &text)
        value = text.isEmpty ? nil : text
    }

    package func texts(_ name: StaticString, _ values: inout [String]) {
        unsafe list(name, .bytes, &values, limit: nil) {
            unsafe text(name, $0)
        } pack: {
            unsafe data(name, $0, $1)
        }
    }

    private static func bytes(_ data: ProtobufCBinaryData) -> UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(start: data.data, count: data.len)
    }

    private func text(_ name: StaticString, _ data: ProtobufCBinaryData) -> String {
        guard let text = unsafe String(validating: Self.bytes(data), as: UTF8.self) else {
            fail(name) { .notUTF8(field: $0) }
            return ""
        }
        if text.utf8.contains(0) { fail(name) { .containsNUL(field: $0) } }
        return text
    }

    private func data(_ name: StaticString, _ text: String, _ arena: MessageArena) -> ProtobufCBinaryData {
        if text.utf8.contains(0) { fail(name) { .containsNUL(field: $0) } }
        return unsafe arena.bytes(text.utf8)
    }

    // MARK: Messages

    /// A message that may be absent.
    package func message<Message: PackedMessage>(_ name: StaticString, _ value: inout Message?) {
        if isReading { value = inner(name).map { _ in .blank } }
        guard value != nil, let fields = inner(name) else { return }
        value?.exchange(fields)
    }

    /// A message without which the one it is in is refused.
    package func required(_ name: StaticString, _ value: inout some PackedMessage) {
        guard let fields = inner(name) else { return fail(name) { .missing(field: $0) } }
        value.exchange(fields)
    }

    /// - Parameter limit: the most entries that are read; nil is what the protocol has for all lists.
    package func messages<Message: PackedMessage>(
        _ name: StaticString, _ values: inout [Message], limit: Int? = nil
    ) {
        let kind = unsafe MessageKind(slot(name, .message, isRepeated: true).field.innerDescriptor)
        unsafe list(name, .message, &values, limit: limit) { (address: UnsafeMutableRawPointer) in
            var message = Message.blank
            unsafe message.exchange(MessageFields(MessageStructure(address), transfer))
            return message
        } pack: { message, arena in
            var message = message
            let structure = arena.place(kind)
            message.exchange(MessageFields(structure, transfer))
            return unsafe structure.address
        }
    }

    /// A map of texts. Written in the order of the keys, so that what is the same reads the same.
    package func map(_ name: StaticString, _ value: inout [String: String]) {
        var pairs = value.sorted { $0.key < $1.key }.map { TextPair(key: $0.key, value: $0.value) }
        messages(name, &pairs)
        value = Dictionary(pairs.map { ($0.key, $0.value) }) { first, _ in
            fail(name) { .repeatedKey(field: $0) }
            return first
        }
    }

    /// One message out of several: `name` is the oneof's.
    package func oneOf<Choice: OneOf>(_ name: StaticString, _ value: inout Choice) {
        if isReading {
            guard let found = Choice.blanks.first(where: { isSet($0.field) }) else {
                return fail(name) { .unknownKind(field: $0) }
            }
            value = found
        }
        if let fields = inner(value.field) { value.exchange(fields) }
    }

    /// Whether the oneof that the message `name` is of holds it.
    private func isSet(_ name: StaticString) -> Bool {
        let slot = slot(name, .message)
        return unsafe slot.quantifier.load(as: UInt32.self) == slot.field.pointee.id
    }

    /// The fields of the message `name`, which is made where messages are written. nil where it is absent.
    private func inner(_ name: StaticString) -> MessageFields? {
        let slot = slot(name, .message)
        let isOneOf = unsafe slot.field.pointee.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0
        switch transfer.direction {
        case .reading:
            if isOneOf, !isSet(name) { return nil }
            guard let address = unsafe slot.value.load(as: UnsafeMutableRawPointer?.self) else { return nil }
            return unsafe MessageFields(MessageStructure(address), transfer)
        case .writing(let arena):
            let structure = unsafe arena.place(MessageKind(slot.field.innerDescriptor))
            unsafe slot.value.storeBytes(of: structure.address, as: UnsafeMutableRawPointer.self)
            if isOneOf { unsafe slot.quantifier.storeBytes(of: slot.field.pointee.id, as: UInt32.self) }
            return MessageFields(structure, transfer)
        }
    }

    // MARK: Places in the structure

    /// Where a field is.
    @safe private struct Slot {
        let field: UnsafePointer<ProtobufCFieldDescriptor>
        /// Its value, or the address of its entries.
        let value: UnsafeMutableRawPointer
        /// How many entries it has, or which field a oneof holds.
        let quantifier: UnsafeMutableRawPointer
    }

    private func slot(_ name: StaticString, _ form: FieldForm, isRepeated: Bool = false) -> Slot {
        let field = unsafe structure.kind.field(name, form, isRepeated: isRepeated)
        return unsafe Slot(
            field: field, value: structure.address + Int(field.pointee.offset),
            quantifier: structure.address + Int(field.pointee.quantifier_offset))
    }

    /// A list whose entries are `Entry` in the structure.
    private func list<Value, Entry: BitwiseCopyable>(
        _ name: StaticString, _ form: FieldForm, _ values: inout [Value], limit: Int?,
        unpack: (Entry) -> Value, pack: (Value, MessageArena) -> Entry
    ) {
        let slot = slot(name, form, isRepeated: true)
        switch transfer.direction {
        case .reading(let entryLimit):
            let count = unsafe slot.quantifier.load(as: Int.self)
            let limit = limit ?? entryLimit
            guard count <= limit else {
                values = []
                return fail(name) { .tooMany(field: $0, count: count, limit: limit) }
            }
            let entries = unsafe slot.value.load(as: UnsafeMutablePointer<Entry>?.self)
            values = unsafe UnsafeBufferPointer(start: entries, count: count).map(unpack)
        case .writing(let arena):
            guard !values.isEmpty else { return }
            let entries = unsafe arena.room(for: values.count, of: Entry.self)
            for (index, value) in values.enumerated() { unsafe (entries + index).initialize(to: pack(value, arena)) }
            unsafe slot.quantifier.storeBytes(of: values.count, as: Int.self)
            unsafe slot.value.storeBytes(of: entries, as: UnsafeMutablePointer<Entry>.self)
        }
    }
}

/// An enum of which each case is a message of a oneof.
package protocol OneOf {
    /// Each case, before its fields are read.
    static var blanks: [Self] { get }
    /// The name of the case's field in the .proto.
    var field: StaticString { get }
    /// As ``PackedMessage/exchange(_:)``, with the fields of the case's message.
    mutating func exchange(_ fields: MessageFields)
}

/// An entry of a map of texts.
private struct TextPair: PackedMessage {
    static let blank = TextPair()
    var key = ""
    var value = ""

    mutating func exchange(_ fields: MessageFields) {
        fields.text("key", &key)
        fields.text("value", &value)
    }
}

extension UnsafePointer<ProtobufCFieldDescriptor> {
    /// Of the message in a field that has one.
    fileprivate var innerDescriptor: UnsafePointer<ProtobufCMessageDescriptor> {
        guard let descriptor = unsafe pointee.descriptor else { preconditionFailure("a field without a message") }
        return unsafe descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    }
}
