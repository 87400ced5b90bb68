// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// A process of the host for good: its number, and when it started, for numbers are used again.
public struct ProcessIdentity: Hashable, Codable, Sendable {
    /// The process id.
    public var pid: Int32
    /// Clock ticks from boot to the process's start: field 22 of /proc/pid/stat, proc(5).
    public var startTime: UInt64

    /// The process `pid` that started at `startTime`.
    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The process that has this number now; nil if no process has it.
    public init?(of pid: Int32) {
        guard pid > 0, let stat = Self.stat(of: pid) else { return nil }
        self.init(pid: pid, startTime: stat.startTime)
    }

    /// This process. It is there, so it has a start time.
    public static var own: ProcessIdentity {
        ProcessIdentity(of: getpid()) ?? ProcessIdentity(pid: getpid(), startTime: 0)
    }

    /// Whether the process is there. One that has ended and waits for its parent to notice is not.
    public var isAlive: Bool {
        guard pid > 0, let stat = Self.stat(of: pid) else { return false }
        return stat.startTime == startTime && stat.state != UInt8(ascii: "Z") && stat.state != UInt8(ascii: "X")
    }

    /// The process held by a pidfd, readable once it has ended: signals sent through it cannot reach
    /// another that gets its number. nil where it has ended.
    public func open() -> FileDescriptor? {
        // The order matters: what the descriptor holds is looked at after it is held.
        guard let descriptor = try? Process.descriptor(of: pid), isAlive else { return nil }
        return descriptor
    }

    /// The process of number `pid`, held by a pidfd, where it is a child of this one; nil where it is not.
    public func openChild(_ pid: Int32) -> FileDescriptor? {
        guard let descriptor = try? Process.descriptor(of: pid), let stat = Self.stat(of: pid), stat.parent == self.pid,
            isAlive
        else { return nil }
        return descriptor
    }

    /// Sends a signal to this process and no other.
    ///
    /// - Returns: false where it has ended.
    /// - Throws: what pidfd_send_signal(2) answers, as `EINVAL` for a signal there is none of.
    public func signal(_ number: Int32) throws(Errno) -> Bool {
        guard let descriptor = open() else { return false }
        do {
            try Process.signal(descriptor, number)
            return true
        } catch  where error == .noSuchProcess {
            return false
        }
    }

    private static func stat(of pid: Int32) -> ProcessStat? {
        guard let file = try? FileDescriptor.open("/proc/\(pid)/stat"), let bytes = try? file.read(upTo: 4096) else {
            return nil
        }
        return ProcessStat(bytes)
    }
}

/// What is wanted of a line of /proc/pid/stat.
struct ProcessStat: Equatable {
    /// One letter, as proc(5): `R`, `S`, `Z` …
    var state: UInt8
    var parent: Int32
    var startTime: UInt64

    /// nil where the line is none. The command's name, the second field, may hold spaces and parentheses, so
    /// the fields are counted from the last parenthesis on.
    init?(_ line: [UInt8]) {
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
        // Field 3 is the first here.
        guard fields.count > 19, let letter = fields[0].first, fields[0].count == 1,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let ticks = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        state = letter
        self.parent = parent
        startTime = ticks
    }
}
