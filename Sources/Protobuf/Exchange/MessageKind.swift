// SPDX-License-Identifier: Apache-2.0
import CProtobuf

/// A kind of message: its name, its fields and the form of its structure, as protoc-c describes them in the generated C.
@safe package struct MessageKind: @unchecked Sendable {
    /// Constant data of the program.
    let descriptor: UnsafePointer<ProtobufCMessageDescriptor>

    init(_ descriptor: UnsafePointer<ProtobufCMessageDescriptor>) {
        unsafe self.descriptor = unsafe descriptor
    }

    /// - Parameter initialize: the `…__init` that protoc-c wrote for the message's structure, C.
    package init<C>(_ initialize: (UnsafeMutablePointer<C>?) -> Void) {
        unsafe descriptor = withUnsafeTemporaryAllocation(of: C.self, capacity: 1) { place in
            unsafe initialize(place.baseAddress)
            // Each structure begins with one of protobuf-c's.
            return unsafe UnsafeRawBufferPointer(place).load(as: ProtobufCMessage.self).descriptor
        }
    }

    /// The message's name in the .proto.
    package var name: String { unsafe String(cString: descriptor.pointee.short_name) }

    /// A field's name for errors: `idrequest.id` for `id` of IDRequest, in protoc-c's way of lower case.
    func path(_ field: StaticString) -> String {
        var path = ""
        var wasUpper = true
        for character in name.unicodeScalars {
            let isUpper = ("A"..."Z").contains(character)
            if isUpper, !wasUpper { path += "_" }
            path += character.properties.lowercaseMapping
            wasUpper = isUpper
        }
        return "\(path).\(field)"
    }

    /// The field `name`.
    ///
    /// - Precondition: the message has it, and its entries are of the form `form`.
    func field(
        _ name: StaticString, _ form: FieldForm, isRepeated: Bool
    ) -> UnsafePointer<ProtobufCFieldDescriptor> {
        let field = unsafe UnsafeRawPointer(name.utf8Start).withMemoryRebound(to: CChar.self, capacity: 1) {
            unsafe protobuf_c_message_descriptor_get_field_by_name(descriptor, $0)
        }
        guard let field = unsafe field, unsafe FieldForm(field.pointee.type) == form,
            unsafe (field.pointee.label == PROTOBUF_C_LABEL_REPEATED) == isRepeated
        else { preconditionFailure("\(self.name) has no such field: \(name)") }
        return unsafe field
    }
}

/// What an entry of a field is in a structure.
enum FieldForm: Equatable {
    case number(bitWidth: Int, isSigned: Bool)
    case flag
    case bytes
    case message

    /// nil for what our protocols do without.
    init?(_ type: ProtobufCType) {
        switch type {
        case PROTOBUF_C_TYPE_INT32, PROTOBUF_C_TYPE_SINT32, PROTOBUF_C_TYPE_SFIXED32:
            self = .number(bitWidth: 32, isSigned: true)
        case PROTOBUF_C_TYPE_INT64, PROTOBUF_C_TYPE_SINT64, PROTOBUF_C_TYPE_SFIXED64:
            self = .number(bitWidth: 64, isSigned: true)
        case PROTOBUF_C_TYPE_UINT32, PROTOBUF_C_TYPE_FIXED32: self = .number(bitWidth: 32, isSigned: false)
        case PROTOBUF_C_TYPE_UINT64, PROTOBUF_C_TYPE_FIXED64: self = .number(bitWidth: 64, isSigned: false)
        case PROTOBUF_C_TYPE_BOOL: self = .flag
        case PROTOBUF_C_TYPE_BYTES: self = .bytes
        case PROTOBUF_C_TYPE_MESSAGE: self = .message
        default: return nil
        }
    }
}
