// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import ProgramArguments
import SandboxPlan

/// A program of ours to be started with descriptors handed down under their own numbers.
struct ChildProgram {
    let path: String
    /// What follows the program's name.
    let arguments: [String]
    /// The whole command line, where it is not the program's own.
    var commandLine: [String]?
    /// Open on the program, where its path does not lead to it.
    var executable: BorrowedDescriptor?
    /// Stay open across exec, and nothing else does: what the caller had open beside its streams is not the program's.
    var descriptors: [BorrowedDescriptor] = []
    /// What becomes 0, 1 and 2, and so on; nil: /dev/null.
    var standardStreams: [BorrowedDescriptor]?
    /// A process, by pidfd, in whose pid namespace it is to be.
    var pidNamespace: BorrowedDescriptor?
    /// Open lists of processes of the cgroups it is to be in.
    var cgroups: [BorrowedDescriptor] = []
    /// Away from the caller's terminal.
    var hasOwnSession = false

    /// Starts it and returns once exec has succeeded.
    func start() throws(RuntimeError) -> Int32 {
        let name = path.pathNames.last ?? ""
        let report = try wrapping({ .launch(program: name, operation: "pipe", $0) }, FileDescriptor.pipe())
        let streams: [BorrowedDescriptor]
        let null = try wrapping(
            { .launch(program: name, operation: "open /dev/null", $0) }, FileDescriptor.open("/dev/null", .readWrite))
        streams = standardStreams ?? [null.borrowed, null.borrowed, null.borrowed]
        let fork = try wrapping({ .launch(program: name, operation: "fork", $0) }) { () throws(Errno) in
            guard let pidNamespace else { return try Process.fork() }
            return try Process.fork(inPIDNamespaceOf: pidNamespace)
        }
        switch fork {
        case .child:
            // This process has one thread, so the copy may go on in Swift until it execs.
            let errno = execute(streams)
            // Open until then.
            _ = consume null
            try? report.writer.writeAll([UInt8(truncatingIfNeeded: errno.rawValue)])
            Process.exitNow(127)
        case .parent(let pid):
            let reader = report.takeReader()
            let answer = try wrapping({ .launch(program: name, operation: "exec", $0) }, reader.read(upTo: 1))
            guard let errno = answer.first else { return pid }
            _ = try? Process.wait(for: pid)
            throw .launch(program: name, operation: "exec", Errno(rawValue: Int32(errno)))
        }
    }

    private func execute(_ streams: [BorrowedDescriptor]) -> Errno {
        do {
            // 0 stands for the process that writes it.
            for cgroup in cgroups { try cgroup.writeAll([UInt8(ascii: "0")]) }
            if hasOwnSession { try syscall(__NR_setsid) }
            // Above everything handed down, so that no dup2 overwrites a source still to come.
            let sources = try streams.map { (stream) throws(Errno) in
                try stream.duplicate(minimum: Int32(max(streams.count, 3))).release()
            }
            for (target, source) in sources.enumerated() { try FileDescriptor.assign(Int32(target), from: source) }
            try Process.closeDescriptorsOnExec(from: UInt32(max(streams.count, 3)))
            for descriptor in descriptors { try descriptor.setClosesOnExec(false) }
            try SignalMask.set(.none)
            let words = commandLine ?? [path] + arguments
            if let executable {
                try Process.execute(executable, arguments: words, environment: [ProxyOrder.variable + "=1"])
            }
            try Process.execute(path: path, arguments: words, environment: [])
        } catch {
            return error
        }
    }
}
