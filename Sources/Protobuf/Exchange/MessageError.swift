// SPDX-License-Identifier: Apache-2.0
/// Why bytes are not a message of a protocol, or a value cannot become one. `field` is the message's name in the .proto and
/// the field's, both in lower case: `process.arguments`.
public enum MessageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A message, or what a frame says of one, is longer than `limit` bytes.
    case tooLong(byteCount: Int, limit: Int)
    /// Not protobuf, or more structure than a message may have. `kind` is the message's name in the .proto.
    case notAMessage(kind: String, byteCount: Int)
    /// Bytes that say the same otherwise than this encoder would: a field twice, a number in more bytes than it needs, two
    /// of which only one can be.
    case notCanonical
    /// A oneof with nothing in it that this version knows.
    case unknownKind(field: String)
    case missing(field: String)
    case unknownValue(field: String, value: Int64)
    case outOfRange(field: String, value: Int64)
    case wrongByteCount(field: String, byteCount: Int)
    case tooMany(field: String, count: Int, limit: Int)
    case notUTF8(field: String)
    case containsNUL(field: String)
    /// A map with a key twice would say two things.
    case repeatedKey(field: String)

    /// The field that was at fault; nil where it is the message as a whole.
    public var field: String? {
        switch self {
        case .tooLong, .notAMessage, .notCanonical: nil
        case .unknownKind(let field), .missing(let field), .unknownValue(let field, _), .outOfRange(let field, _),
            .wrongByteCount(let field, _), .tooMany(let field, _, _), .notUTF8(let field), .containsNUL(let field),
            .repeatedKey(let field):
            field
        }
    }

    /// The error in words, for people and logs.
    public var description: String {
        switch self {
        case .tooLong(let byteCount, let limit): "message of \(byteCount) bytes is longer than \(limit)"
        case .notAMessage(let kind, let byteCount): "\(byteCount) bytes are not a \(kind)"
        case .notCanonical: "message is not in canonical form"
        case .unknownKind(let field): "\(field): of a kind that is not known"
        case .missing(let field): "\(field): missing"
        case .unknownValue(let field, let value): "\(field): unknown value \(value)"
        case .outOfRange(let field, let value): "\(field): \(value) is out of range"
        case .wrongByteCount(let field, let byteCount): "\(field): \(byteCount) bytes are not its length"
        case .tooMany(let field, let count, let limit): "\(field): \(count) entries are more than \(limit)"
        case .notUTF8(let field): "\(field): not UTF-8"
        case .containsNUL(let field): "\(field): contains a NUL"
        case .repeatedKey(let field): "\(field): a key stands twice"
        }
    }
}
