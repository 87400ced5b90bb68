import CLinux
import Glibc
import Linux

/// A program of ours to be started with descriptors handed down under their own numbers.
struct ChildProgram {
    let path: String
    let arguments: [String]
    /// Stay open across exec. Everything else this process opened is close-on-exec.
    var descriptors: [Int32] = []
    /// What becomes 0, 1 and 2; nil: /dev/null.
    var standardStreams: [Int32]?
    /// Open lists of processes of the cgroups it is to be in.
    var cgroups: [Int32] = []
    /// Away from the caller's terminal.
    var hasOwnSession = false

    /// Starts it and returns once exec has succeeded.
    func start() throws(RuntimeError) -> Int32 {
        let name = path.pathNames.last ?? ""
        let report = try wrapping({ .launch(program: name, operation: "pipe", $0) }) { () throws(Errno) in
            try FileDescriptor.pipe()
        }
        let streams: [Int32]
        let null = try wrapping({ .launch(program: name, operation: "open /dev/null", $0) }) { () throws(Errno) in
            try FileDescriptor.open("/dev/null", .readWrite)
        }
        streams = standardStreams ?? [null.rawValue, null.rawValue, null.rawValue]
        let fork = try wrapping({ .launch(program: name, operation: "fork", $0) }) { () throws(Errno) in
            try Process.fork()
        }
        switch fork {
        case .child:
            // This process has one thread, so the copy may go on in Swift until it execs.
            let errno = execute(streams)
            try? report.writer.writeAll([UInt8(truncatingIfNeeded: errno.rawValue)])
            Process.exitNow(127)
        case .parent(let pid):
            let reader = Self.readingEnd(of: report)
            let answer = try wrapping({ .launch(program: name, operation: "exec", $0) }) { () throws(Errno) in
                try reader.read(upTo: 1)
            }
            guard let errno = answer.first else { return pid }
            _ = try? Process.wait(for: pid)
            throw .launch(program: name, operation: "exec", Errno(rawValue: Int32(errno)))
        }
    }

    /// Lets go of the writing end, so that the reader sees the end of the file when the child has none either.
    private static func readingEnd(of pipe: consuming Pipe) -> FileDescriptor {
        pipe.reader
    }

    private func execute(_ streams: [Int32]) -> Errno {
        do {
            for cgroup in cgroups { try Self.join(cgroup) }
            if hasOwnSession { try syscall(__NR_setsid) }
            // Above everything handed down, so that no dup2 overwrites a source still to come.
            let sources = try streams.map { (number) throws(Errno) in
                Int32(try syscall(__NR_fcntl, Int(number), Int(F_DUPFD_CLOEXEC), 3))
            }
            for (target, source) in sources.enumerated() { try syscall(__NR_dup3, Int(source), target, 0) }
            for descriptor in descriptors { try syscall(__NR_fcntl, Int(descriptor), Int(F_SETFD), 0) }
            try SignalMask.set(.none)
            try Process.execute(path: path, arguments: [path] + arguments, environment: [])
        } catch {
            return error
        }
    }

    /// 0 is whoever writes it.
    private static func join(_ cgroup: Int32) throws(Errno) {
        let list = FileDescriptor(owning: cgroup)
        try list.writeAll(Array("0".utf8))
        _ = list.release()
    }
}
