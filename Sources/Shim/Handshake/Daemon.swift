// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Glibc
import Linux

/// The shim as a process of its own, which outlives who starts it.
struct Daemon {
    private let invocation: Invocation
    private let bootstrap: Bootstrap
    private let program: String

    /// The numbers of what is handed down, beside 0, 1 and 2.
    static let listener: Int32 = 3
    static let readiness: Int32 = 4

    init(_ invocation: Invocation, _ bootstrap: Bootstrap, program: String) {
        (self.invocation, self.bootstrap, self.program) = (invocation, bootstrap, program)
    }

    /// Starts it, and returns once it serves.
    func start(_ listener: borrowing FileDescriptor, limit: Duration) throws(HandshakeError) {
        let report: Pipe
        do {
            report = try FileDescriptor.pipe()
        } catch {
            throw .launch(operation: "pipe", error)
        }
        let pid: Int32
        do throws(Errno) {
            // The process that started this may have left more open than it meant to.
            try Process.closeDescriptorsOnExec(from: 3)
            let null = try FileDescriptor.open("/dev/null", .readWrite)
            let log = try Self.openLog()
            pid = try Process.spawn(
                program, arguments, name: name, environment: environment,
                descriptors: [
                    0: null.borrowed, 1: null.borrowed, 2: log.borrowed, Self.listener: listener.borrowed,
                    Self.readiness: report.writer.borrowed,
                ], isDetached: true)
        } catch {
            throw .launch(operation: "exec", error)
        }
        do throws(HandshakeError) {
            try Self.setOOMScore(of: pid)
            try Self.put(pid, into: bootstrap.shimCgroup())
            try Self.waitForReport(report.takeReader(), pid: pid, limit: limit)
        } catch {
            try? Process.kill(pid, SIGKILL)
            _ = try? Process.wait(for: pid)
            throw error
        }
    }

    /// The word of the command line that stands for the program: where a link leads.
    private var name: String { (try? Directory.link(program, at: .currentDirectory)) ?? program }

    private var arguments: [String] {
        let words = ["-namespace", invocation.namespace, "-id", invocation.id]
        return words + ["-address", invocation.containerdAddress]
            + (invocation.isDebug || bootstrap.isDebug ? ["-debug"] : [])
    }

    /// containerd's, with the one thing that it may say by a message.
    private var environment: [String] {
        guard !bootstrap.ttrpcAddress.isEmpty else { return ShimEnvironment.variables }
        return ShimEnvironment.variables.filter { !$0.begins(with: "TTRPC_ADDRESS=") }
            + ["TTRPC_ADDRESS=" + bootstrap.ttrpcAddress]
    }

    /// The bundle's `log` fifo, which containerd reads. Opened for both, it waits for no reader and does not miss one
    /// that goes; when it is full, a write is refused and the line lost, rather than the shim held up.
    private static func openLog() throws(Errno) -> FileDescriptor {
        if let node = try? FileDescriptor.open("log", [.path, .noFollow]),
            let status = try? FileNode.status(of: node.borrowed), status.kind == S_IFIFO,
            let log = try? FileDescriptor.open(node.borrowed.path, [.readWrite, .nonBlocking])
        {
            return log
        }
        return try FileDescriptor.open("/dev/null", .readWrite)
    }

    /// The cgroup is the caller's, who has made it.
    private static func put(_ pid: Int32, into cgroup: String) throws(HandshakeError) {
        if cgroup.isEmpty { return }
        do throws(CgroupError) {
            let lists = try HostCgroup.existing(path: cgroup).openProcessLists()
            for list in lists.borrowed {
                do { try list.writeAll(Array("\(pid)".utf8)) } catch {
                    throw CgroupError.write(path: cgroup, value: "\(pid)", error)
                }
            }
        } catch {
            throw .shimCgroup(cgroup, error)
        }
    }

    /// One above containerd's: when memory is short, containerd should be the last to go. Where that is not permitted
    /// it stays as inherited.
    private static func setOOMScore(of pid: Int32) throws(HandshakeError) {
        do throws(Errno) {
            let bytes = try FileDescriptor.open("/proc/\(getppid())/oom_score_adj").readAll(limit: 64)
            guard let score = Int(String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)) else {
                throw .invalidArgument
            }
            try FileDescriptor.open("/proc/\(pid)/oom_score_adj", .writeOnly)
                .writeAll(Array("\(min(score + 1, 1000))".utf8))
        } catch  where error == .permissionDenied || error == .notPermitted || error == .noSuchFile {
            // Gone already, it will not report either.
        } catch {
            throw .launch(operation: "oom_score_adj", error)
        }
    }

    /// The daemon says one byte: zero when it serves, or one and then why it cannot.
    private static func waitForReport(
        _ reader: consuming FileDescriptor, pid: Int32, limit: Duration
    ) throws(HandshakeError) {
        let report: [UInt8]
        do throws(Errno) {
            let file = reader
            guard !(try Poll.wait(file.borrowed, .readable, until: Deadline(after: limit))).isEmpty else {
                throw .timedOut
            }
            // A pipe gives what was written at once, up to 4096 bytes, at once.
            report = try file.read(upTo: ServedShim.reportLimit)
        } catch .timedOut {
            throw .daemonTimedOut(seconds: limit.components.seconds)
        } catch {
            throw .launch(operation: "wait", error)
        }
        switch report.first {
        case 0: return
        case .some: throw .daemonFailed(String(decoding: report.dropFirst(), as: UTF8.self))
        case nil: throw .daemonEnded(end(of: pid))
        }
    }

    /// How it ended. Who closed its report without a word and goes on is ended by the caller.
    private static func end(of pid: Int32) -> String {
        let deadline = Deadline(after: .seconds(1))
        while !deadline.hasPassed {
            if let (_, status) = try? Process.wait(for: pid, blocks: false) {
                switch status {
                case .exited(let code): return "exit code \(code)"
                case .signaled(let signal): return "signal \(signal)"
                }
            }
            usleep(5000)
        }
        return "no report"
    }
}
