// SPDX-License-Identifier: Apache-2.0
/// Reads one JSON text (RFC 8259), strictly: no comments, no trailing commas, no byte order mark, nothing after it,
/// no key twice in an object, no NUL in a string. Errors name the path and the place.
struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private var valueCount = 0

    static func parse(_ bytes: [UInt8]) throws(SpecError) -> JSONValue {
        guard bytes.count <= Limit.document else {
            throw SpecError("", .documentTooLarge(byteCount: bytes.count, limit: Limit.document))
        }
        var parser = JSONParser(bytes: bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw parser.error(.byteOrderMark) }
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.position < bytes.count { throw parser.error(.trailingBytes) }
        return value
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func error(_ syntax: SpecError.SyntaxError) -> SpecError {
        let before = bytes[..<position]
        let line = before.count { $0 == 0x0A } + 1
        let column = position - (before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0) + 1
        return SpecError("", .syntax(syntax, line: line, column: column))
    }

    private func unexpected() -> SpecError { error(next == nil ? .unexpectedEnd : .unexpectedByte) }

    private mutating func value(depth: Int) throws(SpecError) -> JSONValue {
        guard depth <= Limit.depth else { throw error(.tooDeep) }
        valueCount += 1
        guard valueCount <= Limit.values else { throw error(.tooManyValues) }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case let byte? where byte == UInt8(ascii: "-") || Self.isDigit(byte): return try number()
        default: throw unexpected()
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(SpecError) -> JSONValue {
        for byte in text.description.utf8 {
            guard next == byte else { throw unexpected() }
            position += 1
        }
        return value
    }

    private mutating func array(depth: Int) throws(SpecError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array([])
        }
        while true {
            do { elements.append(try value(depth: depth + 1)) } catch { throw error.within("[\(elements.count)]") }
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw unexpected()
            }
        }
    }

    private mutating func object(depth: Int) throws(SpecError) -> JSONValue {
        position += 1
        var members: [JSONMember] = []
        var keys: Set<String> = []
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw unexpected() }
            let key = try string()
            guard keys.insert(key).inserted else { throw SpecError("", .duplicateKey(key)) }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw unexpected() }
            position += 1
            do {
                members.append(JSONMember(key: key, value: try value(depth: depth + 1)))
            } catch { throw error.within(pathKey(key)) }
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw unexpected()
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private mutating func digits() throws(SpecError) {
        let start = position
        while let byte = next, Self.isDigit(byte) { position += 1 }
        if position == start { throw error(.badNumber) }
    }

    private mutating func number() throws(SpecError) -> JSONValue {
        let start = position
        let negative = next == UInt8(ascii: "-")
        if negative { position += 1 }
        let firstDigit = position
        try digits()
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 { throw error(.badNumber) }
        let integerEnd = position
        if next == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        var magnitude: UInt64 = 0
        var exact = position == integerEnd
        for byte in bytes[firstDigit..<integerEnd] where exact {
            let (tens, over) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            magnitude = sum
            exact = !over && !carry
        }
        if exact { return .integer(negative: negative, magnitude: magnitude) }
        return .otherNumber(String(decoding: bytes[start..<min(position, start + 40)], as: UTF8.self))
    }

    /// The string at the opening quote. Most have no escape and are taken as they stand.
    private mutating func string() throws(SpecError) -> String {
        position += 1
        var start = position
        var unescaped: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                unescaped += bytes[start..<position]
                position += 1
                guard let text = String(validating: unescaped, as: UTF8.self) else { throw error(.invalidUTF8) }
                return text
            case UInt8(ascii: "\\"):
                unescaped += bytes[start..<position]
                position += 1
                unescaped += try escape()
                start = position
            case 0: throw SpecError("", .embeddedNUL)
            case ..<0x20: throw error(.controlCharacter)
            default: position += 1
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func escape() throws(SpecError) -> [UInt8] {
        guard let byte = next else { throw error(.unexpectedEnd) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw error(.badEscape)
        }
        var code = try hex4()
        if code & 0xFC00 == 0xD800 {
            guard next == UInt8(ascii: "\\") else { throw error(.badEscape) }
            position += 1
            guard next == UInt8(ascii: "u") else { throw error(.badEscape) }
            position += 1
            let low = try hex4()
            guard low & 0xFC00 == 0xDC00 else { throw error(.badEscape) }
            code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
        }
        guard code != 0 else { throw SpecError("", .embeddedNUL) }
        guard let scalar = Unicode.Scalar(code) else { throw error(.badEscape) }
        return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func hex4() throws(SpecError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next else { throw error(.unexpectedEnd) }
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw error(.badEscape)
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}

/// How an object's key reads in a path: `env`, or `["a.b"]` when it is no plain name.
func pathKey(_ key: String) -> String {
    let plain = key.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
    return plain && !key.isEmpty ? key : "[\(quoted(key))]"
}
