// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Jailer
import Linux
import RuntimeState
import SandboxPlan

/// A machine's own files, in the directory of its state.
struct MachineFiles {
    /// Absolute.
    let directory: String

    /// The unix sockets that stand for the guest's vsock.
    var vsockDirectory: String { directory + "/vsock" }
    /// What fc-vmm listens on for host processes that want a port of the guest.
    static let listenerName = "guest"
    /// What the guest reaches when it connects to the host's ready port, as fc-vmm names it.
    static var readyName: String { socketName(ofPort: GuestConvention.readyPort) }
    /// The same of any port of the host's.
    static func socketName(ofPort port: UInt32) -> String { "vsock_\(port)" }
    /// What fc-vmm answers questions at, in the state directory.
    static let controlName = "monitor.sock"
    /// The fifo whose last writer's end is the machine's: each container that it lives for holds one.
    var lifeline: String { directory + "/lifeline" }
    /// What the jail said: one line for each thing that happened.
    var jailLog: String { directory + "/jail.log" }
    /// The guest's serial console, bounded by fc-vmm.
    var consoleLog: String { directory + "/console.log" }
    /// What fc-vmm and fc-fsd had to say.
    var deviceLog: String { directory + "/device.log" }

    /// The last lines of a file of the guest's, with nothing in them that a terminal would obey. As many as a panic's
    /// trace takes by default, so that its reason, which comes first, is included.
    static func tail(of path: String, lines: Int = 20) -> [String] {
        guard let file = try? FileDescriptor.open(path, [.noFollow, .nonBlocking]),
            let end = try? syscall(__NR_lseek, file.borrowed.argument, 0, Int(SEEK_END)),
            (try? syscall(__NR_lseek, file.borrowed.argument, max(0, end - 4096), Int(SEEK_SET))) != nil,
            let bytes = try? file.readAll(limit: 1 << 20)
        else { return [] }
        let printable = bytes.map { $0 == 10 || (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: " ") }
        return printable.split(separator: 10).suffix(lines).map { line in
            String(decoding: line, as: UTF8.self).split(at: " ").joined(separator: " ")
        }.filter { !$0.isEmpty }
    }
}

extension MachineFiles {
    /// One more hold on the machine.
    ///
    /// - Parameter id: the container that it was made for.
    /// - Throws: `sandboxGone` where it has ended, or is about to.
    func openLifeline(of id: String) throws(RuntimeError) -> FileDescriptor {
        try wrapping(
            { (_: Errno) in .sandboxGone(id) }, FileDescriptor.open(lifeline, [.writeOnly, .nonBlocking, .noFollow]))
    }

    /// What the jail has noted, in order.
    var jailStatus: [JailStatus] {
        guard let file = try? FileDescriptor.open(jailLog, [.noFollow, .nonBlocking]),
            let bytes = try? file.readAll(limit: 1 << 20)
        else { return [] }
        return bytes.split(separator: 10).compactMap { JailStatus(line: String(decoding: $0, as: UTF8.self)) }
    }

    /// Why the jail ended, in its own words; nil where it does not say.
    var jailReason: String? {
        let devices = Self.tail(of: deviceLog, lines: 2)
        for status in jailStatus.reversed() {
            switch status {
            case .failed, .ended: return ([status.description] + devices).joined(separator: "; ")
            case .supervisor, .process, .started, .released: continue
            }
        }
        return devices.isEmpty ? nil : devices.joined(separator: "; ")
    }
}
