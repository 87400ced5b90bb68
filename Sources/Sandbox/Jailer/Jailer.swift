// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// fc-jailer: makes the sandbox's jail from the words of its command line.
///
/// It exits with 0 once every program in the jail runs, and leaves the supervisor behind; with 1 after a failure, whose
/// reason is on the status descriptor, and leaves nothing behind; with 2 if the command line is invalid, which
/// standard error then says. It has one thread throughout.
public enum Jailer {
    /// The whole program.
    ///
    /// - Parameter words: what follows the program's name on the command line, as ``JailPlan/arguments`` writes it.
    public static func main(_ words: [String]) -> Never {
        let plan: JailPlan
        do {
            plan = try JailPlan(parsing: words)
        } catch {
            let line = "fc-jailer: \(JailStatus.printable("\(error)"))\n"
            try? BorrowedDescriptor.standardError.writeAll(Array(line.utf8))
            Process.exitNow(2)
        }
        // The reader of the status descriptor may have gone, which is no reason to end.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            try run(plan)
            Process.exitNow(0)
        } catch {
            JailStatus.failed(process: "jail", reason: "\(error)").write(to: plan.statusFile)
            Process.exitNow(1)
        }
    }

    /// Opens what the jail needs of the host, enters its cgroups and network namespace, and starts the supervisor.
    static func run(_ plan: JailPlan) throws(JailError) {
        try keep(plan.inheritedDescriptors)
        let null = try openNull()
        let hostProcesses = try attempt(JailError.openProcesses, try FileDescriptor.open("/proc", [.path, .directory]))
        var processes: [PreparedProgram] = []
        for process in plan.processes { processes.append(try PreparedProgram(process)) }
        try join(plan)

        let supervisor = Supervisor(
            plan: plan, processes: processes, null: null.borrowed, hostProcesses: hostProcesses.borrowed)
        let ready = try attempt(JailError.forkSupervisor, try FileDescriptor.pipe())
        var namespaces: Process.Namespaces = [.pid, .mount, .ipc, .uts]
        if plan.networkNamespace == nil { namespaces.insert(.network) }
        let fork = try attempt(JailError.forkSupervisor, try Process.fork(namespaces: namespaces))
        switch fork {
        case .child: supervisor.run(ready: ready.writer)
        case .parent(let pid): try awaitStart(of: pid, ready)
        }
    }

    /// Closes what fc-runc's caller left open, and marks the rest close-on-exec.
    static func keep(_ descriptors: Set<Int32>) throws(JailError) {
        try attempt(JailError.closeInherited) { () throws(Errno) in
            try Descriptors.closeAll(except: descriptors.union([0, 1, 2]))
            try Process.closeDescriptorsOnExec(from: 0)
        }
    }

    /// Opens /dev/null until the standard descriptors are all open: what is opened later must not get one of their
    /// numbers.
    static func openNull() throws(JailError) -> FileDescriptor {
        while true {
            let null = try attempt(JailError.openNull, try FileDescriptor.open("/dev/null", .readWrite))
            if null.rawValue > 2 { return null }
            _ = null.release()
        }
    }

    /// Enters the cgroups and the network namespace; what is forked from here inherits both.
    static func join(_ plan: JailPlan) throws(JailError) {
        for descriptor in plan.cgroups {
            try attempt({ .joinCgroup(descriptor: descriptor, $0) }) { () throws(Errno) in
                let file = FileDescriptor(owning: descriptor)
                // 0 stands for the process that writes, cgroups(7).
                try file.writeAll(Array("0\n".utf8))
            }
        }
        if let descriptor = plan.networkNamespace {
            try attempt(
                { .joinNetworkNamespace(descriptor: descriptor, $0) },
                try Process.enter(BorrowedDescriptor(rawValue: descriptor), .network))
        }
    }

    /// The parent's side of the fork: waits until every program runs, or the supervisor has failed.
    static func awaitStart(of pid: Int32, _ ready: consuming Pipe) throws(JailError) {
        let reader = ready.takeReader()
        let answer = try attempt(JailError.awaitSupervisor, try reader.read(upTo: 1))
        if answer.isEmpty {
            // It has reported the reason. Waiting for it leaves no zombie.
            _ = try attempt(JailError.awaitSupervisor, try Process.wait(for: pid))
            Process.exitNow(1)
        }
    }
}

extension JailPlan {
    /// What the reports go to, which the jailer's caller has handed down.
    var statusFile: BorrowedDescriptor { BorrowedDescriptor(rawValue: status) }
}
