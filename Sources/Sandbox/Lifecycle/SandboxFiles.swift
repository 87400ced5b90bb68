import CLinux
import Glibc
import Linux
import RuntimeState
import SandboxPlan

/// A sandbox's own files in its first container's state directory.
struct SandboxFiles {
    /// The container's state directory, absolute.
    let directory: String

    /// The unix sockets that stand for the guest's vsock.
    var vsockDirectory: String { directory + "/vsock" }
    /// What fc-vmm listens on for host processes that want a port of the guest.
    static let listenerName = "guest"
    /// What the guest reaches when it connects to the host's ready port, as fc-vmm names it.
    static var readyName: String { "vsock_\(GuestConvention.readyPort)" }
    /// What fc-vmm answers questions at, in the state directory.
    static let controlName = "monitor.sock"
    /// What the jail said: one line for each thing that happened.
    var jailLog: String { directory + "/jail.log" }
    /// The guest's serial console, bounded by fc-vmm.
    var consoleLog: String { directory + "/console.log" }
    /// What fc-vmm and fc-fsd had to say.
    var deviceLog: String { directory + "/device.log" }

    /// The last lines of a file of the guest's, with nothing in them that a terminal would obey. As many as a panic's
    /// trace takes by default, so that its reason, which comes first, is told.
    static func tail(of path: String, lines: Int = 20) -> [String] {
        guard let file = try? FileDescriptor.open(path, [.noFollow, .nonBlocking]),
            let end = try? syscall(__NR_lseek, Int(file.rawValue), 0, Int(SEEK_END)),
            (try? syscall(__NR_lseek, Int(file.rawValue), max(0, end - 4096), Int(SEEK_SET))) != nil,
            let bytes = try? file.readAll(limit: 1 << 20)
        else { return [] }
        let printable = bytes.map { $0 == 10 || (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: " ") }
        return printable.split(separator: 10).suffix(lines).map { line in
            String(decoding: line, as: UTF8.self).split(separator: " ").joined(separator: " ")
        }.filter { !$0.isEmpty }
    }
}
