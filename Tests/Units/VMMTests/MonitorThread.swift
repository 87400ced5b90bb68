// SPDX-License-Identifier: Apache-2.0
import Linux
import Synchronization
import TestSupport

@testable import VMM

/// fc-vmm on a thread, as it serves a machine of QEMU's, the ends of its descriptors that the rest of the sandbox has, and what
/// became of it.
final class MonitorThread {
    /// Where its sockets are.
    let path: String
    let consoleLog: FileDescriptor
    var console: FileDescriptor?
    /// QEMU's end of the vsock's session; with it goes the machine.
    var vsock: FileDescriptor?
    private let scratch: Scratch
    private var thread: Thread?
    private let outcome = Outcome()

    private final class Outcome: Sendable {
        let error = Mutex<VMMError?>(nil)
    }

    /// - Parameters:
    ///   - devices: further words of its command line.
    ///   - scratch: a directory of its own.
    init(_ devices: [String] = [], in scratch: Scratch = Scratch(), guestCID: UInt64 = 3) throws {
        self.scratch = scratch
        path = scratch.path
        let session = try UnixSocket.pair()
        let pipe = try FileDescriptor.pipe()
        consoleLog = try FileDescriptor.memory(named: "console")
        let words = [
            "devices", "--guest-cid", "\(guestCID)", "--vsock-vhost-fd", Self.number(try session.first.duplicate()),
            "--vsock-listen-fd", Self.number(try UnixSocket.listen(at: path + "/listen")), "--vsock-directory", path,
            "--console-fd", Self.number(try pipe.reader.duplicate()),
            "--console-log-fd", Self.number(try consoleLog.duplicate()),
            "--control-fd", Self.number(try UnixSocket.listen(at: path + "/control")),
            "--log-fd", Self.number(try FileDescriptor.memory(named: "log")),
        ]
        vsock = try session.second.duplicate()
        console = try pipe.writer.duplicate()
        let outcome = outcome
        thread = try Thread(named: "fc-vmm") {
            do throws(VMMError) { try Monitor.run(words + devices) } catch { outcome.error.withLock { $0 = error } }
        }
    }

    deinit { _ = end() }

    /// As fc-vmm inherits it, which closes it.
    static func number(_ descriptor: consuming FileDescriptor) -> String { "\(descriptor.release().rawValue)" }

    /// Waits for fc-vmm's end, which whoever calls this has brought about, or the vsock's hang-up does.
    func end() -> VMMError? {
        vsock = nil
        if let thread = thread.take() { thread.join() }
        console = nil
        return outcome.error.withLock { $0 }
    }
}
