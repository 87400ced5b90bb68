// SPDX-License-Identifier: Apache-2.0
import CProtobuf
import Linux

@testable import Protobuf

/// A message as protoc-c describes it in the generated C.
@safe struct DescribedMessage {
    struct Field {
        let name: String
        let number: UInt64
        let form: FieldForm
        let isRepeated: Bool
        /// Numbers that lie one behind the other, and not each in a field of its own.
        let isPacked: Bool
        /// One of a oneof. Our messages have one oneof at most.
        let isAlternative: Bool
        let message: DescribedMessage?
    }

    let name: String
    let fields: [Field]

    init(_ kind: MessageKind) {
        unsafe self.init(unsafe kind.descriptor)
    }

    private init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
        // Constant data of the program, with as many fields as it says and names that end with a NUL.
        name = unsafe String(cString: descriptor.pointee.short_name)
        fields = unsafe UnsafeBufferPointer(start: descriptor.pointee.fields, count: Int(descriptor.pointee.n_fields))
            .map { field in
                // Our protocols have no others, which their exchange relies on.
                let form = FieldForm(unsafe field.type)!
                return unsafe Field(
                    name: String(cString: field.name), number: UInt64(field.id), form: form,
                    isRepeated: field.label == PROTOBUF_C_LABEL_REPEATED,
                    isPacked: field.label == PROTOBUF_C_LABEL_REPEATED && form != .bytes && form != .message,
                    isAlternative: field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue != 0,
                    message: form == .message
                        ? DescribedMessage(field.descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self))
                        : nil)
            }
    }

    /// Every field of this message and of those in it: `Hello.version = 1`.
    var fieldNames: Set<String> {
        fields.reduce(into: []) { names, field in
            names.insert("\(name).\(field.name) = \(field.number)")
            if let message = field.message { names.formUnion(message.fieldNames) }
        }
    }
}

/// Messages in which everything is set, as bytes.
struct FullMessage {
    /// `Root.disk`, of fields that exclude one another.
    var absent: Set<String> = []
    /// Of fields that take only such: `StreamHello.token`. Others are 1, true and `x`.
    var texts: [String: [UInt8]] = [:]
    var numbers: [String: UInt64] = [:]

    /// One for each message of the oneof, where there is one.
    func bytes(of message: DescribedMessage) -> [[UInt8]] {
        let choices: [String?] = message.fields.filter(\.isAlternative).map(\.name)
        return (choices.isEmpty ? [nil] : choices).map { choice in
            message.fields.filter { !$0.isAlternative || $0.name == choice }.flatMap { encoded($0, of: message.name) }
        }
    }

    private func encoded(_ field: DescribedMessage.Field, of message: String) -> [UInt8] {
        let path = "\(message).\(field.name)"
        if absent.contains(path) { return [] }
        func delimited(_ bytes: [UInt8]) -> [UInt8] {
            Self.number(field.number << 3 | 2) + Self.number(UInt64(bytes.count)) + bytes
        }
        if let inner = field.message {
            let entries = bytes(of: inner)
            precondition(field.isRepeated || entries.count == 1, "\(path): one of several is set only")
            return entries.flatMap(delimited)
        }
        if field.form == .bytes { return delimited(texts[path] ?? [0x78]) }
        let value = Self.number(numbers[path] ?? 1)
        return field.isPacked ? delimited(value) : Self.number(field.number << 3) + value
    }

    /// Seven bits a byte, the lowest first.
    static func number(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + number(value >> 7)
    }
}

/// What a .proto says, as far as it is asked here.
struct ProtocolText {
    /// `Hello.version = 1`
    private(set) var fieldNames: Set<String> = []

    init(_ name: String, source: String = #filePath) throws {
        let root = source.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }
        let bytes = try FileDescriptor.open("\(root)/Sources/Protobuf/\(name)").readAll(limit: 1 << 20)
        var message = ""
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(whereSeparator: { " ;".contains($0) }).map(String.init)
            if words.first == "message" { message = words[1] }
            guard !message.isEmpty, let sign = words.firstIndex(of: "="), sign >= 2, words[0] != "//" else { continue }
            fieldNames.insert("\(message).\(words[sign - 1]) = \(words[sign + 1])")
        }
    }
}
