// SPDX-License-Identifier: Apache-2.0
/// A type that is read from JSON and written to it.
protocol JSONCoded {
    init(json: JSONValue) throws(SpecError)
    var json: JSONValue { get }
    /// Whether Go's `omitempty` leaves this value out.
    var isZero: Bool { get }
    /// The paths, from this value on, of what it asks for and the runtime does not support; empty: the value itself.
    func unsupported(isSupported: Bool) -> [String]
}

extension JSONCoded {
    func unsupported(isSupported: Bool) -> [String] {
        isSupported || json.asksNothing ? [] : [""]
    }
}

extension JSONValue {
    /// Whether a field with this value asks for nothing.
    fileprivate var asksNothing: Bool {
        switch self {
        case .null, .bool(false), .integer(_, 0), .string(""): true
        case .object(let members): members.allSatisfy(\.value.asksNothing)
        case .array(let elements): elements.allSatisfy(\.asksNothing)
        default: false
        }
    }
}

/// The path that begins with `key` and goes on with `rest`, which may be empty.
func joinedPath(_ key: String, _ rest: String) -> String {
    rest.isEmpty || rest.utf8.first == UInt8(ascii: "[") ? key + rest : "\(key).\(rest)"
}

/// A type that is a JSON object.
protocol JSONObject: JSONCoded {
    init()
    /// Lists the fields to `fields`.
    mutating func code(_ fields: inout FieldCoder)
}

extension JSONObject {
    init(json: JSONValue) throws(SpecError) {
        guard case .object(let members) = json else {
            throw SpecError("", .wrongType(expected: "an object", found: json.kind))
        }
        self.init()
        var fields = FieldCoder(reading: members)
        code(&fields)
        if let error = fields.error { throw error }
    }

    var json: JSONValue {
        var fields = FieldCoder()
        var copy = self
        copy.code(&fields)
        return .object(fields.members)
    }

    var isZero: Bool { false }

    func unsupported(isSupported: Bool) -> [String] {
        var fields = FieldCoder(checkingWhereSupported: isSupported)
        var copy = self
        copy.code(&fields)
        return fields.unsupported
    }
}

/// A string that is one of a known set of names. `kind` is what an error calls it.
protocol JSONName: JSONCoded, RawRepresentable, CaseIterable, Sendable where RawValue == String {
    static var kind: String { get }
}

extension JSONName {
    init(json: JSONValue) throws(SpecError) {
        let name = try String(json: json)
        guard let known = Self(rawValue: name) else { throw SpecError("", .unknown(kind: Self.kind, name: name)) }
        self = known
    }

    var json: JSONValue { .string(rawValue) }
    var isZero: Bool { false }
}

extension JSONValue: JSONCoded {
    init(json: JSONValue) { self = json }
    var json: JSONValue { self }
    var isZero: Bool { self == .null }

    func unsupported(isSupported: Bool) -> [String] {
        if isSupported || asksNothing { return [] }
        guard case .object(let members) = self else { return [""] }
        return members.flatMap { member in
            member.value.unsupported(isSupported: false).map { joinedPath(pathKey(member.key), $0) }
        }
    }
}

extension String: JSONCoded {
    init(json: JSONValue) throws(SpecError) {
        guard case .string(let text) = json else {
            throw SpecError("", .wrongType(expected: "a string", found: json.kind))
        }
        self = text
    }

    var json: JSONValue { .string(self) }
    var isZero: Bool { isEmpty }
}

extension Bool: JSONCoded {
    init(json: JSONValue) throws(SpecError) {
        guard case .bool(let value) = json else {
            throw SpecError("", .wrongType(expected: "true or false", found: json.kind))
        }
        self = value
    }

    var json: JSONValue { .bool(self) }
    var isZero: Bool { !self }
}

extension Optional: JSONCoded where Wrapped: JSONCoded {
    init(json: JSONValue) throws(SpecError) { self = try Wrapped(json: json) }
    var json: JSONValue { self?.json ?? .null }
    var isZero: Bool { self == nil }

    func unsupported(isSupported: Bool) -> [String] {
        self?.unsupported(isSupported: isSupported) ?? []
    }
}

extension Array: JSONCoded where Element: JSONCoded {
    init(json: JSONValue) throws(SpecError) {
        guard case .array(let values) = json else {
            throw SpecError("", .wrongType(expected: "an array", found: json.kind))
        }
        self.init()
        reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            do { append(try Element(json: value)) } catch { throw error.within("[\(index)]") }
        }
    }

    var json: JSONValue { .array(map(\.json)) }
    var isZero: Bool { isEmpty }

    /// A list with nothing supported in it is named once, as a whole.
    func unsupported(isSupported: Bool) -> [String] {
        var inside: [String] = []
        for (index, element) in enumerated() {
            inside += element.unsupported(isSupported: isSupported).map { joinedPath("[\(index)]", $0) }
        }
        return isSupported || inside.isEmpty ? inside : [""]
    }
}

extension Dictionary: JSONCoded where Key == String, Value: JSONCoded {
    init(json: JSONValue) throws(SpecError) {
        guard case .object(let members) = json else {
            throw SpecError("", .wrongType(expected: "an object", found: json.kind))
        }
        self.init(minimumCapacity: members.count)
        for member in members {
            do { self[member.key] = try Value(json: member.value) } catch { throw error.within(pathKey(member.key)) }
        }
    }

    var json: JSONValue {
        .object(sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value.json) })
    }
    var isZero: Bool { isEmpty }

    func unsupported(isSupported: Bool) -> [String] {
        sorted { $0.key < $1.key }.flatMap { key, value in
            value.unsupported(isSupported: isSupported).map { joinedPath(pathKey(key), $0) }
        }
    }
}

/// An integer of a fixed width.
protocol JSONInteger: JSONCoded, FixedWidthInteger {}

extension JSONInteger {
    init(json: JSONValue) throws(SpecError) {
        let exact: Self?
        let found: String
        switch json {
        case .integer(false, let magnitude):
            exact = Self(exactly: magnitude)
            found = "\(magnitude)"
        case .integer(true, let magnitude):
            // -2^63 is the lowest; its magnitude has no positive counterpart.
            exact = magnitude <= 1 << 63 ? Self(exactly: Int64(truncatingIfNeeded: 0 &- magnitude)) : nil
            found = "-\(magnitude)"
        case .otherNumber(let text):
            exact = nil
            found = text
        default: throw SpecError("", .wrongType(expected: "an integer", found: json.kind))
        }
        guard let exact else {
            throw SpecError("", .outOfRange(found: found, lowest: "\(Self.min)", highest: "\(Self.max)"))
        }
        self = exact
    }

    var json: JSONValue { .integer(negative: self < 0, magnitude: UInt64(magnitude)) }
    var isZero: Bool { self == 0 }
}

extension Int: JSONInteger {}
extension Int32: JSONInteger {}
extension Int64: JSONInteger {}
extension UInt: JSONInteger {}
extension UInt16: JSONInteger {}
extension UInt32: JSONInteger {}
extension UInt64: JSONInteger {}
