// SPDX-License-Identifier: Apache-2.0
import Linux
import RuntimeState

/// The shim's log: lines in the form of containerd's own, on standard error, which is the fifo `log` of the bundle.
/// containerd copies them to its own log. If they are not read, and the fifo is full, lines are dropped.
struct ShimLog {
    /// A pipe takes so much at once or not at all.
    static let lineLimit = 4096

    let namespace: String
    /// The id of the shim's first container: the pod's sandbox, where there is one.
    let sandbox: String
    let isDebug: Bool

    func write(_ note: TaskNote) {
        guard isDebug || note.level != .debug else { return }
        let line = line(note, at: Timestamp.now().rfc3339Nanoseconds)
        try? BorrowedDescriptor.standardError.writeAll(Array(line.utf8))
    }

    /// Keys after the message are in the order of the alphabet, as logrus has them.
    func line(_ note: TaskNote, at time: String) -> String {
        var line = "time=\"\(time)\" level=\(note.level.rawValue) msg="
        var rest = ""
        if !note.container.isEmpty { rest += " id=\(Self.quoted(note.container, always: false))" }
        rest += " namespace=\(Self.quoted(namespace, always: false)) runtime=io.containerd.fc-runc.v2"
        rest += " sandbox=\(Self.quoted(sandbox, always: false))\n"
        // The ids are what a line is found by.
        line += Self.quoted(note.text, always: true, limit: Self.lineLimit - line.utf8.count - rest.utf8.count)
        return line + rest
    }

    /// Text with nothing in it that could be taken for another line, or another field; cut to `limit` bytes.
    static func quoted(_ text: String, always: Bool, limit: Int = lineLimit) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2D, 0x2E, 0x5F, 0x2F, 0x40, 0x5E, 0x2B].contains(byte)
        }
        if isPlain, !always, !text.isEmpty { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            let piece =
                switch scalar {
                case "\"": "\\\""
                case "\\": "\\\\"
                case "\n": "\\n"
                case "\t": "\\t"
                case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                    "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
                default: String(scalar)
                }
            guard quoted.utf8.count + piece.utf8.count < limit else { break }
            quoted += piece
        }
        return quoted + "\""
    }
}
