// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux

/// Processes as /proc of the guest shows them, proc(5).
enum ProcessTable {
    /// Beyond this a command is cut.
    private static let commandLimit = 4096

    static func read(_ pids: [Int32]) -> [ProcessEntry] {
        guard let proc = try? FileDescriptor.open("/proc", [.path, .directory]) else { return [] }
        return pids.sorted().prefix(4096).compactMap { entry($0, proc.borrowed) }
    }

    /// nil for one that has gone meanwhile.
    private static func entry(_ pid: Int32, _ proc: BorrowedDescriptor) -> ProcessEntry? {
        guard let status = text("/proc/\(pid)/stat"), let close = status.utf8.lastIndex(of: UInt8(ascii: ")")),
            let open = status.utf8.firstIndex(of: UInt8(ascii: "("))
        else { return nil }
        // From the third field on: the name before may hold anything.
        let fields = status[status.utf8.index(after: close)...].split(at: " ")
        guard fields.count > 19 else { return nil }
        let owner = try? FileNode.status("\(pid)", at: proc)
        var command = (text("/proc/\(pid)/cmdline") ?? "").split(at: "\0").joined(separator: " ")
        if command.isEmpty { command = "[\(status[status.utf8.index(after: open)..<close])]" }
        return ProcessEntry(
            pid: UInt32(pid), parentPID: UInt32(fields[1]) ?? 0, uid: owner?.uid ?? 0,
            startTicks: UInt64(fields[19]) ?? 0, cpuTicks: (UInt64(fields[11]) ?? 0) &+ (UInt64(fields[12]) ?? 0),
            terminal: terminal(Int32(fields[4]) ?? 0), command: command)
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileDescriptor.open(path).read(upTo: commandLimit) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The name of a terminal by its device number; empty for none and for kinds a container does not have.
    private static func terminal(_ device: Int32) -> String {
        let number = UInt32(bitPattern: device)
        let major = number >> 8 & 0xfff
        let minor = number & 0xff | number >> 12 & 0xfff00
        return (136...143).contains(major) ? "pts/\((major - 136) * 256 + minor)" : ""
    }
}
