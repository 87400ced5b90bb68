// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import OCISpec

/// One run of one hook: the state is its standard input, and what it prints goes into the error if it fails.
struct HookRun {
    /// How much of each stream is kept, in bytes; the rest is read and dropped.
    private static let outputLimit = 8192

    let hook: Spec.Hook
    /// The container's state, as JSON.
    let state: [UInt8]

    /// Its standard streams.
    typealias Streams = (input: BorrowedDescriptor, output: BorrowedDescriptor, error: BorrowedDescriptor)

    /// Runs it on the host to its end, or to the end of its time.
    ///
    /// - Parameter directory: where it runs: the bundle.
    /// - Returns: why it failed, in runc's words; nil where it did not.
    func run(in directory: String) -> String? {
        run { (streams) throws(Errno) in try fork(streams, directory) }
    }

    /// The same for one that `start` starts, as a child of this process.
    ///
    /// - Parameter start: returns its pid; what it throws is why it did not start.
    func run<Failure: Error>(_ start: (Streams) throws(Failure) -> Int32) -> String? {
        do {
            // A file, so that a hook which does not read it breaks no pipe.
            let input = try FileDescriptor.memory(named: "state")
            try input.writeAll(state)
            try input.rewind()
            let output = try FileDescriptor.pipe()
            let error = try FileDescriptor.pipe()
            let pid = try start((input.borrowed, output.writer.borrowed, error.writer.borrowed))
            return try follow(pid, output.takeReader(), error.takeReader())
        } catch {
            return "fork/exec \(hook.path): \(error)"
        }
    }

    /// Returns once exec has succeeded.
    private func fork(_ streams: Streams, _ directory: String) throws(Errno) -> Int32 {
        let report = try FileDescriptor.pipe()
        let parent = getpid()
        switch try Process.fork() {
        case .child:
            let errno = execute([streams.input, streams.output, streams.error], directory, parent: parent)
            try? report.writer.writeAll([UInt8(truncatingIfNeeded: errno.rawValue)])
            Process.exitNow(127)
        case .parent(let pid):
            guard let errno = try report.takeReader().read(upTo: 1).first else { return pid }
            _ = try? Process.wait(for: pid)
            throw Errno(rawValue: Int32(errno))
        }
    }

    private func execute(_ streams: [BorrowedDescriptor], _ directory: String, parent: Int32) -> Errno {
        do {
            // What is under way goes with this command, which may have gone already.
            try Process.setParentDeathSignal(SIGKILL)
            if getppid() != parent { return .noSuchProcess }
            var sources: [BorrowedDescriptor] = []
            for stream in streams {
                sources.append(try stream.duplicate().release())
            }
            for (target, source) in sources.enumerated() {
                try FileDescriptor.assign(Int32(target), from: source)
            }
            try Process.closeDescriptorsOnExec(from: 3)
            Process.resetSignals()
            try Process.changeDirectory(to: directory)
            try Process.execute(
                path: hook.path, arguments: hook.args.isEmpty ? [hook.path] : hook.args, environment: hook.env)
        } catch {
            return error
        }
    }

    private func follow(
        _ pid: Int32, _ output: borrowing FileDescriptor, _ error: borrowing FileDescriptor
    ) throws(Errno) -> String? {
        let process = try Process.descriptor(of: pid)
        try output.setNonBlocking(true)
        try error.setNonBlocking(true)
        var (printed, said): ([UInt8], [UInt8]) = ([], [])
        var (outputIsOpen, errorIsOpen) = (true, true)
        // More than a year is for ever, and is not counted.
        let deadline = hook.timeout.flatMap { $0 < 31_536_000 ? Deadline(after: .seconds($0)) : nil }
        while true {
            var entries = [
                pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: outputIsOpen ? output.rawValue : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorIsOpen ? error.rawValue : -1, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.map { Int32(clamping: ($0.nanosecondsLeft + 999_999) / 1_000_000) } ?? -1
            // The array outlives the call, and tells its own length.
            _ = unsafe poll(&entries, nfds_t(entries.count), left)
            // Before its end is looked at, so that what it said last is there. Somebody it left behind may hold on to
            // the streams: its own end is what counts.
            if outputIsOpen { outputIsOpen = Self.take(output, into: &printed) }
            if errorIsOpen { errorIsOpen = Self.take(error, into: &said) }
            if entries[0].revents != 0 {
                guard let ended = try Process.wait(for: pid) else { continue }
                Self.drain(output, into: &printed)
                Self.drain(error, into: &said)
                return Self.problem(ended.status, printed, said)
            }
            if let deadline, deadline.hasPassed {
                try? Process.kill(pid, SIGKILL)
                _ = try Process.wait(for: pid)
                return "hook ran past specified timeout of \(hook.timeout ?? 0).0s"
            }
        }
    }

    private static func problem(_ status: Process.ExitStatus, _ printed: [UInt8], _ said: [UInt8]) -> String? {
        let how: String
        switch status {
        case .exited(code: 0): return nil
        case .exited(let code): how = "exit status \(code)"
        case .signaled(let signal): how = "signal: \(signal)"
        }
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        return "\(how), stdout: \(text(printed)), stderr: \(text(said))"
    }

    /// Takes what there is, once.
    ///
    /// - Returns: whether more may come.
    private static func take(_ stream: borrowing FileDescriptor, into bytes: inout [UInt8]) -> Bool {
        do throws(Errno) {
            let new = try stream.read(upTo: 65536)
            bytes += new.prefix(max(outputLimit - bytes.count, 0))
            return !new.isEmpty
        } catch {
            return error == .wouldBlock || error == .interrupted
        }
    }

    /// Takes what is there now, up to what is kept.
    private static func drain(_ stream: borrowing FileDescriptor, into bytes: inout [UInt8]) {
        while bytes.count < outputLimit, let new = try? stream.read(upTo: 65536), !new.isEmpty {
            bytes += new.prefix(outputLimit - bytes.count)
        }
    }
}
