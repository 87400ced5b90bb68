// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec
import RuntimeState
import SandboxPlan

extension MachineFiles {
    /// How long a monitor may take to tell of itself.
    private static let reportTimeout = Duration.seconds(2)
    /// How long it may take to carry an order out: it may still be making its machine, on a host that is busy.
    private static let orderTimeout = Duration.seconds(20)

    /// What the machine's monitor tells of itself.
    func monitorReport() throws(RuntimeError) -> MonitorReport {
        let bytes = try wrapping({ .monitor(operation: "read", $0) }) { () throws(Errno) in
            let directory = try SocketDirectory(path: self.directory)
            return try Self.askMonitor(
                at: directory.path(of: Self.controlName), "metrics",
                deadline: Deadline(after: Self.reportTimeout))
        }
        return try wrapping(RuntimeError.monitorReport, MonitorReport(parsing: bytes))
    }

    /// Gives the machine's network device at `slot` a tap: the guest's link goes up, where its engine can say so. The tap
    /// stays the caller's; the monitor has a descriptor of its own on it.
    ///
    /// - Parameter mtu: of the frames that come, in bytes; nil: 1500.
    func attach(tap: BorrowedDescriptor, toSlot slot: Int, mtu: Int?) throws(RuntimeError) {
        try order("attach", slot, mtu.map { ["mtu=\($0)"] } ?? [], tap)
    }

    /// Takes the tap of the network device at `slot` away, if it has one; no frame goes through it any more.
    func detach(slot: Int) throws(RuntimeError) { try order("detach", slot, [], nil) }

    private func order(
        _ operation: String, _ slot: Int, _ arguments: [String], _ descriptor: BorrowedDescriptor?
    ) throws(RuntimeError) {
        let line = (["net", NetworkSlot(index: slot).id, operation] + arguments).joined(separator: " ")
        let bytes = try wrapping(
            { .networkSlot(slot, operation: operation, reason: "the monitor: \($0)") }
        ) { () throws(Errno) in
            let directory = try SocketDirectory(path: self.directory)
            return try Self.askMonitor(
                at: directory.path(of: Self.controlName), line, descriptor: descriptor,
                deadline: Deadline(after: Self.orderTimeout))
        }
        guard bytes == Array("ok\n".utf8) else {
            throw .networkSlot(slot, operation: operation, reason: Self.words(of: bytes))
        }
    }

    /// An answer as a message may quote it: its first line, short, with nothing in it that a terminal would obey.
    private static func words(of answer: [UInt8]) -> String {
        let line = answer.prefix { $0 != 10 }.prefix(256).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "?") }
        let text = String(decoding: line, as: UTF8.self)
        return text.isEmpty ? "the monitor said nothing" : text
    }

    /// Sends one line, and a descriptor beside it, to the socket at `path` and reads what comes back, to its end.
    ///
    /// - Throws: `ETIMEDOUT` at the deadline, however much came by then; `EFBIG` beyond ``MonitorReport/byteLimit``;
    ///   `EAGAIN` where too many wait before the socket.
    static func askMonitor(
        at path: String, _ line: String, descriptor: BorrowedDescriptor? = nil, deadline: Deadline
    ) throws(Errno) -> [UInt8] {
        let socket = try UnixSocket.connect(to: path, nonBlocking: true)
        let question = Array((line + "\n").utf8)
        // The array outlives the call, and tells its own length.
        let sent = try unsafe question.withUnsafeBytes { buffer in
            Result { () throws(Errno) in
                try unsafe DescriptorPassing.send(buffer, descriptor.map { [$0] } ?? [], on: socket.borrowed)
            }
        }.get()
        guard sent == question.count else { throw .wouldBlock }
        var bytes: [UInt8] = []
        while !deadline.hasPassed {
            if try Poll.wait(socket.borrowed, .readable, until: deadline).isEmpty { break }
            guard let piece = try Socket.receive(upTo: 65536, from: socket.borrowed) else { continue }
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= MonitorReport.byteLimit else { throw Errno(rawValue: EFBIG) }
        }
        throw .timedOut
    }
}
