// SPDX-License-Identifier: Apache-2.0
/// What is wrong with a document, and where: `process.args[2]: expected a string, found a number`.
public struct SpecError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where in the document, as `linux.namespaces[3].type`; empty for the document itself.
    public internal(set) var path: String
    /// What is wrong there.
    public let problem: Problem

    init(_ path: String, _ problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// What can be wrong with a document or a value in it.
    public enum Problem: Equatable, Sendable {
        // The bytes.
        case documentTooLarge(byteCount: Int, limit: Int)
        case syntax(SyntaxError, line: Int, column: Int)
        case duplicateKey(String)
        case embeddedNUL
        // The types.
        case wrongType(expected: String, found: String)
        case outOfRange(found: String, lowest: String, highest: String)
        case tooLong(byteCount: Int, limit: Int)
        case required
        case unknown(kind: String, name: String)
        // The rules.
        case empty
        case notAbsolute(String)
        case parentReference(String)
        case malformed(kind: String, value: String)
        case duplicate(kind: String, value: String)
        case unsupportedVersion(String, lowest: String, highest: String)
        case needsNamespace(Spec.Linux.NamespaceType)
        case softLimitAboveHard(soft: UInt64, hard: UInt64)
        case sysctlNotNamespaced(String)
        case conflictsWith(String)
        case onlyWith(String)
        case tooMany(count: Int, limit: Int)
        case argumentListTooLong(byteCount: Int, limit: Int)
    }

    /// What makes bytes not JSON (RFC 8259).
    public enum SyntaxError: String, Sendable {
        case byteOrderMark = "the document starts with a byte order mark"
        case unexpectedEnd = "the document ends too early"
        case unexpectedByte = "unexpected character"
        case trailingBytes = "something follows the document"
        case badNumber = "malformed number"
        case badEscape = "malformed escape in a string"
        case controlCharacter = "unescaped control character in a string"
        case invalidUTF8 = "a string is not UTF-8"
        case tooDeep = "nested too deeply"
        case tooManyValues = "too many values"
    }

    /// Path and problem, as the user reads them.
    public var description: String {
        path.isEmpty ? problem.description : "\(path): \(problem.description)"
    }
}

extension SpecError.Problem: CustomStringConvertible {
    /// The problem as the user reads it.
    public var description: String {
        switch self {
        case .documentTooLarge(let count, let limit): "the document has \(count) bytes, more than \(limit)"
        case .syntax(let error, let line, let column): "\(error.rawValue) (line \(line), column \(column))"
        case .duplicateKey(let key): "the key \(quoted(key)) is given twice"
        case .embeddedNUL: "the string contains a NUL byte"
        case .wrongType(let expected, let found): "expected \(expected), found \(found)"
        case .outOfRange(let found, let lowest, let highest):
            "expected an integer from \(lowest) to \(highest), found \(found)"
        case .tooLong(let count, let limit): "the string has \(count) bytes, more than \(limit)"
        case .required: "is required"
        case .unknown(let kind, let name): "unknown \(kind) \(quoted(name))"
        case .empty: "must not be empty"
        case .notAbsolute(let path): "\(quoted(path)) is not an absolute path"
        case .parentReference(let path): "\(quoted(path)) must not contain \"..\""
        case .malformed(let kind, let value): "\(quoted(value)) is not a valid \(kind)"
        case .duplicate(let kind, let value): "duplicate \(kind) \(quoted(value))"
        case .unsupportedVersion(let version, let lowest, let highest):
            "unsupported version \(quoted(version)), supported are \(lowest) to \(highest)"
        case .needsNamespace(let type): "needs a private \(type.rawValue) namespace in linux.namespaces"
        case .softLimitAboveHard(let soft, let hard): "the soft limit \(soft) is above the hard limit \(hard)"
        case .sysctlNotNamespaced(let key): "sysctl \(quoted(key)) is not in a separate kernel namespace"
        case .conflictsWith(let other): "conflicts with \(other)"
        case .onlyWith(let other): "is only possible with \(other)"
        case .tooMany(let count, let limit): "has \(count) entries, more than \(limit)"
        case .argumentListTooLong(let count, let limit):
            "argument list too long: \(count) bytes with the environment and the pointers, more than \(limit)"
        }
    }
}

extension SpecError {
    /// The same error seen from one level up: `key` is the name or `[index]` that led here.
    func within(_ key: String) -> SpecError {
        let joined = path.isEmpty || path.utf8.first == UInt8(ascii: "[") ? key + path : "\(key).\(path)"
        return SpecError(joined, problem)
    }
}

/// The value of `body`, whose errors are relative to `key`.
func within<T>(_ key: String, _ body: @autoclosure () throws(SpecError) -> T) throws(SpecError) -> T {
    do { return try body() } catch { throw error.within(key) }
}

/// Runs `body`, whose errors are relative to `key`.
func within<T>(_ key: String, _ body: () throws(SpecError) -> T) throws(SpecError) -> T {
    do { return try body() } catch { throw error.within(key) }
}

/// `text` in quotes on one line and of bounded length, however hostile: it goes to logs and terminals.
func quoted(_ text: String) -> String {
    var out = "\""
    for (count, scalar) in text.unicodeScalars.enumerated() {
        if count == 128 { return out + "…\"" }
        switch scalar {
        case "\"", "\\": out += "\\\(scalar)"
        case " "..."~": out.unicodeScalars.append(scalar)
        default: out += scalar.escaped(asASCII: true)
        }
    }
    return out + "\""
}
