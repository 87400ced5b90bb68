/// Why bytes are not a message of the task protocol. `field` is the name in task.proto.
public enum TaskProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Longer than ``TaskMessageLimit/byteCount``.
    case tooLong(byteCount: Int)
    /// Not protobuf, or more structure than a message may have.
    case notAMessage(kind: String, byteCount: Int)
    case tooMany(field: String, count: Int, limit: Int)
    case notUTF8(field: String)
    case containsNUL(field: String)
    /// A map with a key twice would say two things.
    case repeatedKey(field: String)

    public var description: String {
        switch self {
        case .tooLong(let byteCount): "message of \(byteCount) bytes is longer than \(TaskMessageLimit.byteCount)"
        case .notAMessage(let kind, let byteCount): "\(byteCount) bytes are not a \(kind)"
        case .tooMany(let field, let count, let limit): "\(field): \(count) entries are more than \(limit)"
        case .notUTF8(let field): "\(field): not UTF-8"
        case .containsNUL(let field): "\(field): contains a NUL"
        case .repeatedKey(let field): "\(field): a key stands twice"
        }
    }
}

/// What a message may hold.
public enum TaskMessageLimit {
    /// The most bytes one message may have: as ttrpc, which puts one in a frame.
    public static let byteCount = 4 << 20
    /// The most entries of one list: mounts, options of a mount, annotations, processes.
    public static let entries = 65536
    /// What unpacking one message may allocate: two bytes of it can name a structure of a hundred.
    static let memory = 4 * byteCount
}
