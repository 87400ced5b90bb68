// SPDX-License-Identifier: Apache-2.0
/// Writes a value as Go's encoding/json does, so that a document can be compared with one of runc's.
struct JSONWriter {
    private var out: [UInt8] = []
    private let indent: String

    /// `indent` is one level of indentation; empty writes everything on one line.
    static func bytes(_ value: JSONValue, indent: String) -> [UInt8] {
        var writer = JSONWriter(indent: indent)
        writer.write(value, level: 0)
        return writer.out
    }

    private init(indent: String) { self.indent = indent }

    private mutating func line(_ level: Int) {
        if indent.isEmpty { return }
        out.append(0x0A)
        for _ in 0..<level { out += indent.utf8 }
    }

    private mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: out += "null".utf8
        case .bool(let value): out += value ? "true".utf8 : "false".utf8
        case .integer(let negative, let magnitude): out += "\(negative ? "-" : "")\(magnitude)".utf8
        case .otherNumber(let text): out += text.utf8
        case .string(let text): write(text)
        case .array(let elements):
            list("[", "]", elements, level) { writer, element in writer.write(element, level: level + 1) }
        case .object(let members):
            list("{", "}", members, level) { writer, member in
                writer.write(member.key)
                writer.out += (writer.indent.isEmpty ? ":" : ": ").utf8
                writer.write(member.value, level: level + 1)
            }
        }
    }

    private mutating func list<T>(
        _ open: String, _ close: String, _ items: [T], _ level: Int, _ each: (inout JSONWriter, T) -> Void
    ) {
        out += open.utf8
        for (index, item) in items.enumerated() {
            if index > 0 { out += ",".utf8 }
            line(level + 1)
            each(&self, item)
        }
        if !items.isEmpty { line(level) }
        out += close.utf8
    }

    /// Go also escapes what could end a script element in HTML.
    private mutating func write(_ text: String) {
        out += "\"".utf8
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\"".utf8
            case "\\": out += "\\\\".utf8
            case "\n": out += "\\n".utf8
            case "\r": out += "\\r".utf8
            case "\t": out += "\\t".utf8
            case "\0"..<" ", "<", ">", "&", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                out += "\\u\(String(repeating: "0", count: 4 - hex.utf8.count))\(hex)".utf8
            default: out += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        out += "\"".utf8
    }
}
