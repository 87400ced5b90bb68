/// Why bytes are not a message of this protocol, or a value cannot become one. `field` is the dotted name
/// in agent.proto.
public enum AgentProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A frame longer than ``Frame/limit``.
    case frameTooLong(byteCount: Int)
    /// Not protobuf, or more structure than a message may have.
    case notAMessage(byteCount: Int)
    /// Bytes that say the same otherwise than this encoder would: an embedded NUL, a field twice, a number
    /// in more bytes than it needs.
    case notCanonical
    /// A request or an answer of a kind this version does not know.
    case unknownKind
    case missing(field: String)
    case unknownValue(field: String, value: Int64)
    case outOfRange(field: String, value: Int64)
    case wrongByteCount(field: String, byteCount: Int)
    case tooMany(field: String, count: Int, limit: Int)
    case notUTF8(field: String)
    case containsNUL(field: String)

    public var description: String {
        switch self {
        case .frameTooLong(let byteCount): "frame of \(byteCount) bytes is longer than \(Frame.limit)"
        case .notAMessage(let byteCount): "frame of \(byteCount) bytes is not a message"
        case .notCanonical: "message is not in canonical form"
        case .unknownKind: "message of a kind that is not known"
        case .missing(let field): "\(field): missing"
        case .unknownValue(let field, let value): "\(field): unknown value \(value)"
        case .outOfRange(let field, let value): "\(field): \(value) is out of range"
        case .wrongByteCount(let field, let byteCount): "\(field): \(byteCount) bytes are not its length"
        case .tooMany(let field, let count, let limit): "\(field): \(count) entries are more than \(limit)"
        case .notUTF8(let field): "\(field): not UTF-8"
        case .containsNUL(let field): "\(field): contains a NUL"
        }
    }
}
