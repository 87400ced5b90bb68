import CLinux
import Glibc
import Linux
import SandboxPlan

/// fc-jailer: makes the sandbox's jail from the words of its command line.
///
/// It ends once every program in the jail runs, with 0, and leaves the supervisor behind; or with 1, having
/// said why on the status descriptor and left nothing; or with 2 where the command line itself is wrong, having
/// said so on standard error. Single-threaded from beginning to end.
public enum Jailer {
    /// What fc-jailer's main does with the words after its name.
    public static func main(_ words: [String]) -> Never {
        let plan: JailPlan
        do {
            plan = try JailPlan(parsing: words)
        } catch {
            let standardError = FileDescriptor(owning: 2)
            try? standardError.writeAll(Array("fc-jailer: \(JailStatus.printable("\(error)"))\n".utf8))
            Process.exitNow(2)
        }
        // The reader of the status descriptor may be gone, which is no reason to end.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            try run(plan)
            Process.exitNow(0)
        } catch {
            JailStatus.failed(process: "jail", reason: "\(error)").write(to: plan.status)
            Process.exitNow(1)
        }
    }

    /// Opens what the jail needs of the host, joins where it is to run, and starts the supervisor.
    static func run(_ plan: JailPlan) throws(JailError) {
        try keep(plan.inheritedDescriptors)
        let null = try openNull()
        let hostProcesses = try attempt(JailError.openProcesses) { () throws(Errno) in
            try FileDescriptor.open("/proc", [.path, .directory])
        }
        var processes: [OpenedProcess] = []
        for process in plan.processes { processes.append(try OpenedProcess(process)) }
        try join(plan)

        let supervisor = Supervisor(
            plan: plan, processes: processes, null: null.rawValue, hostProcesses: hostProcesses.rawValue)
        let ready = try attempt(JailError.forkSupervisor) { () throws(Errno) in try FileDescriptor.pipe() }
        var namespaces: Process.Namespaces = [.pid, .mount, .ipc, .uts]
        if plan.networkNamespace == nil { namespaces.insert(.network) }
        let fork = try attempt(JailError.forkSupervisor) { () throws(Errno) in
            try Process.fork(namespaces: namespaces)
        }
        switch fork {
        case .child: supervisor.run(ready: ready.writer)
        case .parent(let pid): try awaitStart(of: pid, ready)
        }
    }

    /// Closes what fc-runc's caller left open, and sees to it that what stays goes no further by itself.
    static func keep(_ descriptors: Set<Int32>) throws(JailError) {
        try attempt(JailError.closeInherited) { () throws(Errno) in
            try Descriptors.closeAll(except: descriptors.union([0, 1, 2]))
            try Process.closeDescriptorsOnExec(from: 0)
        }
    }

    /// /dev/null, as often as it takes for the standard descriptors to be open: what is opened later must not
    /// get one of their numbers.
    static func openNull() throws(JailError) -> FileDescriptor {
        while true {
            let null = try attempt(JailError.openNull) { () throws(Errno) in
                try FileDescriptor.open("/dev/null", .readWrite)
            }
            if null.rawValue > 2 { return null }
            _ = null.release()
        }
    }

    /// Enters the cgroups and the network namespace; what is forked from here inherits both.
    static func join(_ plan: JailPlan) throws(JailError) {
        for descriptor in plan.cgroups {
            try attempt({ .joinCgroup(descriptor: descriptor, $0) }) { () throws(Errno) in
                let file = FileDescriptor(owning: descriptor)
                // 0 is whoever writes, cgroups(7).
                try file.writeAll(Array("0\n".utf8))
            }
        }
        if let descriptor = plan.networkNamespace {
            try attempt({ .joinNetworkNamespace(descriptor: descriptor, $0) }) { () throws(Errno) in
                try Process.enter(descriptor, .network)
            }
        }
    }

    /// The starter's side of the fork: waits until every program runs, or the supervisor has given up.
    static func awaitStart(of pid: Int32, _ ready: consuming Pipe) throws(JailError) {
        let reader = ready.reader
        _ = consume ready.writer
        let answer = try attempt(JailError.awaitSupervisor) { () throws(Errno) in try reader.read(upTo: 1) }
        if answer.isEmpty {
            // It has told the reason. Waiting for it leaves no process behind.
            _ = try attempt(JailError.awaitSupervisor) { () throws(Errno) in try Process.wait(for: pid) }
            Process.exitNow(1)
        }
    }
}
