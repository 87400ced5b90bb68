// SPDX-License-Identifier: Apache-2.0
import Linux

/// Where a stream comes from or goes to, as a request names it: a bare path, or a URI.
enum StreamAddress: Hashable, Sendable {
    /// Empty: /dev/null.
    case none
    case fifo(String)
    case file(String)
    case program(LoggingProgram)

    /// Bytes of an address. A logging program's arguments are the longest of it.
    static let byteLimit = 1 << 16

    /// - Parameter stream: what an error calls it.
    init(_ text: String, stream: String) throws(TaskIOError) {
        guard text.utf8.count <= Self.byteLimit else {
            throw .tooLong(stream: stream, byteCount: text.utf8.count, limit: Self.byteLimit)
        }
        guard !text.utf8.contains(0) else { throw .malformed(stream: stream, text) }
        if text.isEmpty {
            self = .none
            return
        }
        if text.begins(with: "/") {
            // A bare path is taken as it stands, per cents and question marks too.
            self = .fifo(text)
            return
        }
        guard let (scheme, rest) = Self.scheme(of: text) else { throw .relativePath(stream: stream, text) }
        let parts = rest.split(at: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = Self.decoded(parts[0], plusIsSpace: false) else { throw .malformed(stream: stream, text) }
        guard path.begins(with: "/") else { throw .relativePath(stream: stream, text) }
        switch scheme {
        case "fifo": self = .fifo(path)
        case "file": self = .file(path)
        case "binary":
            self = .program(
                try LoggingProgram(path: path, query: parts.count > 1 ? parts[1] : "", text: text, stream: stream))
        default: throw .scheme(stream: stream, scheme)
        }
    }

    /// What is before `://`, in lower case, and what is after it.
    private static func scheme(of text: String) -> (scheme: String, rest: Substring)? {
        let scheme = text.before(":")
        guard !scheme.isEmpty, let rest = text[scheme.endIndex...].after("://") else { return nil }
        return (scheme.lowercased(), rest)
    }

    /// RFC 3986, 2.1: `%41` is a byte. Nil where what follows a per cent is no number, or the whole is not UTF-8 or
    /// has a NUL.
    static func decoded(_ text: some StringProtocol, plusIsSpace: Bool) -> String? {
        var bytes: [UInt8] = []
        var left = Array(text.utf8)[...]
        while let byte = left.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = left.popFirst().flatMap(digit), let low = left.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
            default: bytes.append(byte)
            }
        }
        return bytes.contains(0) ? nil : String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// A program that takes a container's output, as `binary:///path?name=value&name` names it: each name and each value
/// is an argument, except `env.NAME=value`, which is a variable of its environment.
struct LoggingProgram: Hashable, Sendable {
    let path: String
    private(set) var arguments: [String] = []
    private(set) var variables: [String] = []

    static let argumentLimit = 256

    init(path: String, query: some StringProtocol, text: String, stream: String) throws(TaskIOError) {
        self.path = path
        for pair in query.split(at: "&") {
            let parts = pair.split(at: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = StreamAddress.decoded(parts[0], plusIsSpace: true), !name.isEmpty,
                let value = StreamAddress.decoded(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else { throw .malformed(stream: stream, text) }
            if let variable = name.after("env.").map(String.init) {
                guard !variable.isEmpty, !variable.utf8.contains(UInt8(ascii: "=")) else {
                    throw .malformed(stream: stream, text)
                }
                // Whose container it is says the shim.
                if ["CONTAINER_ID", "CONTAINER_NAMESPACE"].contains(variable) { continue }
                variables.append(variable + "=" + value)
            } else {
                arguments += [name, value]
            }
        }
        let count = arguments.count + variables.count
        guard count <= Self.argumentLimit else { throw .tooManyArguments(count, limit: Self.argumentLimit) }
    }
}
