// SPDX-License-Identifier: Apache-2.0
/// Goes over the fields of one object, to read them, to write them, or to find what in them is not supported: a type lists
/// its fields once, in the order runc writes them, and says there which of them this runtime does not support. The first
/// error is kept, and what follows it is skipped.
///
/// `null` is an absent field, as Go writes its empty lists so; unknown keys are ignored
/// (runtime-spec config.md#extensibility).
struct FieldCoder {
    private enum Mode {
        case reading, writing
        /// What is asked for and not supported is looked for; nothing is, in an object that is not supported itself.
        case checking(isSupported: Bool)
    }

    private let mode: Mode
    private(set) var members: [JSONMember]
    private(set) var error: SpecError?
    /// The paths of what is asked for and not supported.
    private(set) var unsupported: [String] = []

    init(reading members: [JSONMember]) {
        mode = .reading
        self.members = members
    }

    init() {
        mode = .writing
        members = []
    }

    /// - Parameter isSupported: whether the object is supported; its fields may still not be.
    init(checkingWhereSupported isSupported: Bool) {
        mode = .checking(isSupported: isSupported)
        members = []
    }

    /// A field that may be absent, and is not written when it holds nothing.
    mutating func field<T: JSONCoded>(_ key: String, _ value: inout T) {
        switch mode {
        case .reading: _ = read(key, &value)
        case .writing: if !value.isZero { members.append(JSONMember(key: key, value: value.json)) }
        case .checking(let isSupported): check(key, value, isSupported)
        }
    }

    /// As ``field(_:_:)``, of a field that this runtime does not support: a document that asks for something by it is
    /// refused. What is false, 0 or empty asks for nothing, and so does `usual`.
    ///
    /// - Parameter evenIfEmpty: it asks for something by being there.
    mutating func unsupported<T: JSONCoded>(
        _ key: String, _ value: inout T, usual: JSONValue? = nil, evenIfEmpty: Bool = false
    ) {
        guard case .checking = mode else { return field(key, &value) }
        if value.isZero { return }
        if let usual, value.json == usual { return }
        if evenIfEmpty { unsupported.append(key) } else { check(key, value, false) }
    }

    /// A field that may be absent and is always written.
    mutating func always<T: JSONCoded>(_ key: String, _ value: inout T) {
        switch mode {
        case .reading: _ = read(key, &value)
        case .writing: members.append(JSONMember(key: key, value: value.json))
        case .checking(let isSupported): check(key, value, isSupported)
        }
    }

    /// A field that must be there.
    ///
    /// - Parameters:
    ///   - usual: in an object that is not supported, what asks for nothing.
    ///   - isLabel: it asks for nothing, and only says which thing its neighbours are about.
    mutating func required<T: JSONCoded>(
        _ key: String, _ value: inout T, usual: JSONValue? = nil, isLabel: Bool = false
    ) {
        switch mode {
        case .reading: if !read(key, &value), error == nil { error = SpecError(key, .required) }
        case .writing: members.append(JSONMember(key: key, value: value.json))
        case .checking(let isSupported):
            if isLabel { return }
            if let usual, value.json == usual { return }
            check(key, value, isSupported)
        }
    }

    private mutating func check<T: JSONCoded>(_ key: String, _ value: T, _ isSupported: Bool) {
        for path in value.unsupported(isSupported: isSupported) { unsupported.append(joinedPath(key, path)) }
    }

    /// A string of at most `bytes` bytes.
    mutating func field(_ key: String, _ value: inout String, bytes limit: Int) {
        field(key, &value)
        check(key, value, limit)
    }

    /// A string of at most `bytes` bytes that this runtime does not support.
    mutating func unsupported(_ key: String, _ value: inout String, bytes limit: Int) {
        unsupported(key, &value)
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
        guard case .reading = mode, error == nil, text.utf8.count > limit else { return }
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
