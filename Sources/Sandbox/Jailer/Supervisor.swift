import CLinux
import Capabilities
import Glibc
import Linux
import SandboxPlan

/// PID 1 of the sandbox's pid namespace. It starts the programs, each PID 1 of a further namespace, and then
/// waits for the first of them to end or for the lifeline to hang up. Its own end is the sandbox's: the
/// kernel kills whatever is left in the pid namespace before anyone sees it gone.
struct Supervisor {
    let plan: JailPlan
    let processes: [OpenedProcess]
    let null: Int32
    /// The host's /proc, in which `self` is a process's pid as the host knows it.
    let hostProcesses: Int32

    /// Runs the sandbox and ends with it. `ready` is written to once every program runs, and closed.
    func run(ready: consuming FileDescriptor) -> Never {
        do {
            let children = try start()
            JailStatus.started.write(to: plan.status)
            try? ready.writeAll([1])
            _ = consume ready
            try lockUp(keeping: children)
            try watch(children)
        } catch {
            JailStatus.failed(process: "jail", reason: "\(error)").write(to: plan.status)
        }
        Process.exitNow(1)
    }

    struct Child {
        let name: String
        let pid: Int32
        let pidfd: Int32
    }

    /// Leaves the host's mounts, terminal and session, and starts every program.
    func start() throws(JailError) -> [Child] {
        JailStatus.supervisor(pid: try hostPID()).write(to: plan.status)
        try attempt(JailError.startSession) { () throws(Errno) in
            try Process.startSession()
            for number in Int32(0)...2 { try FileDescriptor.assign(number, from: null) }
        }
        try leaveHost()
        let progress = try attempt(JailError.forkProcess) { () throws(Errno) in try FileDescriptor.pipe() }
        var children: [Child] = []
        for process in processes { children.append(try fork(process, progress: progress.writer.rawValue)) }
        try awaitPrograms(progress)
        return children
    }

    /// Waits until every child's exec has closed its end of the pipe. One that fails before has said why on the
    /// status descriptor, and writes a byte, which ends everything.
    func awaitPrograms(_ progress: consuming Pipe) throws(JailError) {
        let reader = progress.reader
        _ = consume progress.writer
        let failures = try attempt(JailError.forkProcess) { () throws(Errno) in try reader.read(upTo: 1) }
        if !failures.isEmpty { Process.exitNow(1) }
    }

    /// An empty read-only directory becomes the root, here and for what is forked from here.
    func leaveHost() throws(JailError) {
        // Started in a chroot, this process's root is no mount, and pivot_root(2) wants one: entering the mount
        // namespace it is in already puts it at that namespace's own root.
        try attempt(JailError.leaveMounts) { () throws(Errno) in
            let own = try FileDescriptor.open("self/ns/mnt", at: hostProcesses)
            try Process.enter(own.rawValue, .mount)
        }
        try attempt(JailError.makePrivate) { () throws(Errno) in
            try Mount.setAttributes(
                "/", at: FileDescriptor.currentDirectory, propagation: .private, recursive: true)
        }
        try JailRoot().enter()
    }

    func fork(_ process: OpenedProcess, progress: Int32) throws(JailError) -> Child {
        let fork = try attempt(JailError.forkProcess) { () throws(Errno) in
            try Process.fork(namespaces: [.pid, .mount, .ipc, .uts])
        }
        guard case .parent(let pid) = fork else { become(process, progress: progress) }
        let pidfd = try attempt(JailError.forkProcess) { () throws(Errno) in
            try Process.descriptor(of: pid).release()
        }
        return Child(name: process.plan.name, pid: pid, pidfd: pidfd)
    }

    /// The child's side of the fork.
    func become(_ process: OpenedProcess, progress: Int32) -> Never {
        var start = JailedStart(
            process: process, null: null, executable: process.executable, status: plan.status, progress: progress)
        do {
            JailStatus.process(name: process.plan.name, pid: try hostPID()).write(to: plan.status)
            try start.run()
        } catch {
            JailStatus.failed(process: process.plan.name, reason: "\(error)").write(to: start.status)
            _ = try? FileDescriptor(owning: start.progress).writeAll([1])
            Process.exitNow(1)
        }
    }

    /// The calling process's pid as the host knows it.
    func hostPID() throws(JailError) -> Int32 {
        try attempt(JailError.findPID) { () throws(Errno) in
            guard let pid = Int32(try Directory.link("self", at: hostProcesses)) else { throw .noSuchProcess }
            return pid
        }
    }

    /// Gives up everything that watching does not need.
    func lockUp(keeping children: [Child]) throws(JailError) {
        try attempt(JailError.closeDescriptors) { () throws(Errno) in
            try Descriptors.closeAll(except: Set([0, 1, 2, plan.lifeline, plan.status] + children.map(\.pidfd)))
        }
        try attempt(JailError.dropCapabilities) { () throws(Errno) in
            try CapabilitySets(keeping: []).applyBounding()
            try CapabilitySets(keeping: []).apply()
        }
        try attempt(JailError.setNoNewPrivileges) { () throws(Errno) in try Process.setNoNewPrivileges() }
    }

    /// How long, in milliseconds, an orderly end waits for what brought it about: a program whose peer was
    /// killed ends with code 0, and sooner than the kernel has taken the peer's memory apart.
    static let patience: Int32 = 250

    /// Waits for a reason to end, tells it, and ends. Of several lines the last is the reason.
    func watch(_ children: [Child]) throws(JailError) {
        let epoll = try attempt({ .watch("epoll", $0) }) { () throws(Errno) in try Epoll() }
        // A hang-up is reported without being asked for, and what might be written there means nothing.
        try attempt({ .watch("the lifeline", $0) }) { () throws(Errno) in
            try epoll.add(plan.lifeline, .peerHangUp, token: UInt64(children.count))
        }
        for (index, child) in children.enumerated() {
            try attempt({ .watch(child.name, $0) }) { () throws(Errno) in
                try epoll.add(child.pidfd, .readable, token: UInt64(index))
            }
        }
        var running = children.count
        while running > 0 {
            let isEnding = running < children.count
            let events = try attempt({ .watch("epoll", $0) }) { () throws(Errno) in
                try epoll.wait(milliseconds: isEnding ? Self.patience : -1, limit: 1)
            }
            guard let event = events.first else {
                if isEnding { Process.exitNow(0) }
                continue
            }
            guard event.token < children.count else {
                JailStatus.released.write(to: plan.status)
                Process.exitNow(0)
            }
            let child = children[Int(event.token)]
            let status = try attempt({ .watch(child.name, $0) }) { () throws(Errno) in
                try epoll.remove(child.pidfd)
                return try Process.wait(for: child.pid)?.status
            }
            guard let status else { throw .watch(child.name, .noChild) }
            JailStatus.ended(process: child.name, status).write(to: plan.status)
            if status != .exited(code: 0) { Process.exitNow(0) }
            running -= 1
        }
        Process.exitNow(0)
    }
}
