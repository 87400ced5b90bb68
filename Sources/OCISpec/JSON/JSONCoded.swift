/// A type that is read from JSON and written to it.
protocol JSONCoded {
    init(json: JSONValue) throws(SpecError)
    var json: JSONValue { get }
    /// Whether Go's `omitempty` leaves this value out.
    var isZero: Bool { get }
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
