import Glibc
import Linux
import OCISpec
import RuntimeState

extension Runtime {
    /// How long a monitor may take to tell of itself: it does nothing else but answer.
    private static let reportTimeout = Duration.seconds(2)

    /// What the monitor of the container's virtual machine tells of itself.
    func monitorReport(_ record: ContainerRecord) throws(RuntimeError) -> MonitorReport {
        let files = SandboxFiles(directory: "\(options.root)/\(record.sandboxID)")
        let bytes = try wrapping({ .monitor(operation: "read", $0) }) { () throws(Errno) in
            let directory = try SocketDirectory(path: files.directory)
            return try Self.askMonitor(
                at: directory.path(of: SandboxFiles.controlName), "metrics",
                deadline: Deadline(after: Self.reportTimeout))
        }
        return try wrapping(RuntimeError.monitorReport) { () throws(SpecError) in try MonitorReport(parsing: bytes) }
    }

    /// Sends one line to the socket at `path` and reads what comes back, to its end.
    ///
    /// - Throws: `ETIMEDOUT` at the deadline, however much came by then; `EFBIG` beyond ``MonitorReport/byteLimit``;
    ///   `EAGAIN` where too many wait before the socket.
    static func askMonitor(at path: String, _ line: String, deadline: Deadline) throws(Errno) -> [UInt8] {
        let socket = try UnixSocket.connect(to: path, nonBlocking: true)
        let question = Array((line + "\n").utf8)
        guard try Socket.send(question, from: 0, on: socket.rawValue) == question.count else { throw .wouldBlock }
        var bytes: [UInt8] = []
        while !deadline.hasPassed {
            if try Poll.wait(socket.rawValue, .readable, until: deadline).isEmpty { break }
            guard let piece = try Socket.receive(upTo: 65536, from: socket.rawValue) else { continue }
            if piece.isEmpty { return bytes }
            bytes += piece
            guard bytes.count <= MonitorReport.byteLimit else { throw Errno(rawValue: EFBIG) }
        }
        throw .timedOut
    }
}
