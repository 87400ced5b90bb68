// SPDX-License-Identifier: Apache-2.0
import Linux
import RuntimeState
import Sandbox

/// The log, in the formats of runc's: containerd and conmon read a runtime's error from it.
struct Log: Sendable {
    enum Format: String, Sendable { case text, json }

    static let standardError = Log(descriptor: .standardError, format: .text, isDebugging: false)

    /// Open for as long as the program runs.
    let descriptor: BorrowedDescriptor
    let format: Format
    let isDebugging: Bool

    private init(descriptor: BorrowedDescriptor, format: Format, isDebugging: Bool) {
        self.descriptor = descriptor
        self.format = format
        self.isDebugging = isDebugging
    }

    init(_ options: GlobalOptions) throws(UsageError) {
        guard let format = Format(rawValue: options.logFormat) else { throw .logFormat(options.logFormat) }
        var descriptor = BorrowedDescriptor.standardError
        if let path = options.log, !path.isEmpty {
            do {
                descriptor = try FileDescriptor.open(path, [.writeOnly, .create, .append], mode: 0o644).release()
            } catch {
                throw .file(path, error)
            }
        }
        self.init(descriptor: descriptor, format: format, isDebugging: options.debug)
    }

    func write(_ level: LogLevel, _ message: String) {
        if level == .debug, !isDebugging { return }
        let time = Timestamp.now().rfc3339
        let line =
            switch format {
            case .text: "time=\"\(time)\" level=\(level.rawValue) msg=\(Self.quotedIfNeeded(message))\n"
            case .json:
                "{\"level\":\"\(level.rawValue)\",\"msg\":\"\(Self.jsonEscaped(message))\",\"time\":\"\(time)\"}\n"
            }
        Output.write(line, to: descriptor)
    }

    /// The error the program ends with, which a person is to see as well when the log is a file.
    func fatal(_ message: String) {
        write(.error, message)
        if descriptor != .standardError { Output.write(message + "\n", to: .standardError) }
    }

    /// A message of plain words and no spaces stands without quotes, as logrus has it.
    private static func quotedIfNeeded(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "/"), UInt8(ascii: "@"), UInt8(ascii: "^"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
        return isPlain && !text.isEmpty ? text : "\"" + escaped(text, unicode: hexadecimal) + "\""
    }

    private static func jsonEscaped(_ text: String) -> String { escaped(text, unicode: hexadecimal) }

    /// Both formats share these escapes; no control character reaches a terminal or ends a line.
    private static func escaped(_ text: String, unicode: (UInt32) -> String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}": result += unicode(scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
