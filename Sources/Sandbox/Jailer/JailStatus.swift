// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What fc-jailer and the supervisor report on the status descriptor, a line each. It is a pipe, or a file in which the
/// reason can be read later. In order: `pid`, a `process` for each program, then `started` and at last `ended`; or
/// `failed`, which may come in place of any of them.
public enum JailStatus: Hashable, Sendable {
    /// The supervisor's pid, as the starter of fc-jailer knows it.
    case supervisor(pid: Int32)
    /// A program's pid, likewise.
    case process(name: String, pid: Int32)
    /// Every program runs.
    case started
    /// A step before the program of `process` (`jail`: before any) did not succeed.
    case failed(process: String, reason: String)
    /// A program ended, and the sandbox with it.
    case ended(process: String, Process.ExitStatus)
    /// The last holder of the lifeline let go of it, and the sandbox ended.
    case released
}

extension JailStatus: CustomStringConvertible {
    /// The line, without its end.
    public var description: String {
        switch self {
        case .supervisor(let pid): "pid \(pid)"
        case .process(let name, let pid): "process \(name) \(pid)"
        case .started: "started"
        case .failed(let process, let reason): "failed \(process): \(Self.printable(reason))"
        case .ended(let process, .exited(let code)): "ended \(process): exit code \(code)"
        case .ended(let process, .signaled(let signal)): "ended \(process): signal \(signal)"
        case .released: "released"
        }
    }

    /// Reads a line as `description` writes it; nil for anything else.
    public init?(line: String) {
        let parts = line.split(at: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("started", 1): self = .started
        case ("released", 1): self = .released
        case ("pid", 2):
            guard let pid = Int32(parts[1]) else { return nil }
            self = .supervisor(pid: pid)
        case ("process", 3):
            guard let pid = Int32(parts[2]) else { return nil }
            self = .process(name: parts[1], pid: pid)
        case ("failed", 3) where parts[1].ends(with: ":"):
            self = .failed(process: String(parts[1].dropLast()), reason: parts[2])
        case ("ended", 3) where parts[1].ends(with: ":"):
            let name = String(parts[1].dropLast())
            if let code = parts[2].after("exit code ").flatMap({ Int32($0) }) {
                self = .ended(process: name, .exited(code: code))
            } else if let signal = parts[2].after("signal ").flatMap({ Int32($0) }) {
                self = .ended(process: name, .signaled(signal: signal))
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// `text` without control characters, at most 1024 characters: a reason may quote any path.
    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(1024).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }

    /// Writes the line in one write(2). A reader that has gone is no error.
    func write(to descriptor: BorrowedDescriptor) {
        try? descriptor.writeAll(Array("\(self)\n".utf8))
    }
}
