/// Goes over the fields of one object, to read them or to write them: a type lists its fields once, in the order
/// runc writes them. The first error is kept, and what follows it is skipped.
///
/// `null` is an absent field, as Go writes its empty lists so; keys nobody asks for are ignored
/// (runtime-spec config.md#extensibility).
struct FieldCoder {
    private enum Mode { case reading, writing }

    private let mode: Mode
    private(set) var members: [JSONMember]
    private(set) var error: SpecError?

    init(reading members: [JSONMember]) {
        mode = .reading
        self.members = members
    }

    init() {
        mode = .writing
        members = []
    }

    /// A field that may be absent, and is not written when it holds nothing.
    mutating func field<T: JSONCoded>(_ key: String, _ value: inout T) {
        switch mode {
        case .reading: _ = read(key, &value)
        case .writing: if !value.isZero { members.append(JSONMember(key: key, value: value.json)) }
        }
    }

    /// A field that may be absent and is always written.
    mutating func always<T: JSONCoded>(_ key: String, _ value: inout T) {
        switch mode {
        case .reading: _ = read(key, &value)
        case .writing: members.append(JSONMember(key: key, value: value.json))
        }
    }

    /// A field that must be there.
    mutating func required<T: JSONCoded>(_ key: String, _ value: inout T) {
        switch mode {
        case .reading: if !read(key, &value), error == nil { error = SpecError(key, .required) }
        case .writing: members.append(JSONMember(key: key, value: value.json))
        }
    }

    /// A string of at most `bytes` bytes.
    mutating func field(_ key: String, _ value: inout String, bytes limit: Int) {
        field(key, &value)
        check(key, value, limit)
    }

    /// A string of at most `bytes` bytes that must be there.
    mutating func required(_ key: String, _ value: inout String, bytes limit: Int) {
        required(key, &value)
        check(key, value, limit)
    }

    /// Strings of at most `bytes` bytes each.
    mutating func field(_ key: String, _ value: inout [String], bytes limit: Int) {
        field(key, &value)
        for (index, text) in value.enumerated() { check("\(key)[\(index)]", text, limit) }
    }

    private mutating func check(_ path: @autoclosure () -> String, _ text: String, _ limit: Int) {
        guard error == nil, mode == .reading, text.utf8.count > limit else { return }
        error = SpecError(path(), .tooLong(byteCount: text.utf8.count, limit: limit))
    }

    /// Whether `key` is there, with a value other than null.
    private mutating func read<T: JSONCoded>(_ key: String, _ value: inout T) -> Bool {
        guard error == nil, let member = members.first(where: { $0.key == key }), member.value != .null else {
            return false
        }
        do {
            value = try T(json: member.value)
        } catch {
            self.error = error.within(key)
        }
        return true
    }
}
