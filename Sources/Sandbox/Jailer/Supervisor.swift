// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// PID 1 of the sandbox's pid namespace. It starts the programs, each PID 1 of a namespace of its own, and then
/// waits for the first of them to end or for the lifeline to hang up. Its own end is the sandbox's: the
/// kernel kills all that is left in the pid namespace before the supervisor's end is reported.
struct Supervisor {
    let plan: JailPlan
    let processes: [PreparedProgram]
    let null: BorrowedDescriptor
    /// The host's /proc, in which `self` is a process's pid as the host knows it.
    let hostProcesses: BorrowedDescriptor

    /// Runs the sandbox and ends with it. `ready` is written to once every program runs, and closed.
    func run(ready: consuming FileDescriptor) -> Never {
        do {
            let children = try start()
            JailStatus.started.write(to: plan.statusFile)
            try? ready.writeAll([1])
            _ = consume ready
            try lockUp(keeping: children)
            try watch(children)
            Process.exitNow(0)
        } catch {
            JailStatus.failed(process: "jail", reason: "\(error)").write(to: plan.statusFile)
        }
        Process.exitNow(1)
    }

    struct Child {
        let name: String
        let pid: Int32
        let pidfd: BorrowedDescriptor
    }

    /// Leaves the host's mounts, terminal and session, and starts every program.
    func start() throws(JailError) -> [Child] {
        JailStatus.supervisor(pid: try hostPID()).write(to: plan.statusFile)
        try attempt(JailError.startSession) { () throws(Errno) in
            try Process.startSession()
            for number in Int32(0)...2 { try FileDescriptor.assign(number, from: null) }
        }
        try leaveHost()
        let progress = try attempt(JailError.forkProcess, try FileDescriptor.pipe())
        var children: [Child] = []
        for process in processes { children.append(try fork(process, progress: progress.writer.borrowed)) }
        try awaitPrograms(progress)
        return children
    }

    /// Waits until every child's exec has closed its end of the pipe. A child that fails before exec reports the reason
    /// on the status descriptor and writes a byte here, which ends everything.
    func awaitPrograms(_ progress: consuming Pipe) throws(JailError) {
        let reader = progress.takeReader()
        let failures = try attempt(JailError.forkProcess, try reader.read(upTo: 1))
        if failures.isEmpty { return }
        if let log = plan.log, var words = try? ProgramLog(log) { words.finish() }
        Process.exitNow(1)
    }

    /// Makes an empty read-only directory the root of this process and of those that it forks.
    func leaveHost() throws(JailError) {
        // Started in a chroot, this process's root is no mount, and pivot_root(2) wants one: entering the mount
        // namespace it is in already puts it at that namespace's own root.
        try attempt(JailError.leaveMounts) { () throws(Errno) in
            let own = try FileDescriptor.open("self/ns/mnt", at: hostProcesses)
            try Process.enter(own.borrowed, .mount)
        }
        try attempt(
            JailError.makePrivate,
            try Mount.setAttributes(
                "/", at: .currentDirectory, propagation: .private, recursive: true))
        try JailRoot().enter()
    }

    func fork(_ process: PreparedProgram, progress: BorrowedDescriptor) throws(JailError) -> Child {
        let fork = try attempt(JailError.forkProcess, try Process.fork(namespaces: [.pid, .mount, .ipc, .uts]))
        guard case .parent(let pid) = fork else { become(process, progress: progress) }
        let pidfd = try attempt(JailError.forkProcess, try Process.descriptor(of: pid).release())
        return Child(name: process.plan.name, pid: pid, pidfd: pidfd)
    }

    /// The child's side of the fork.
    func become(_ process: PreparedProgram, progress: BorrowedDescriptor) -> Never {
        var start = JailedStart(
            process: process, null: null, executable: process.executable, status: plan.statusFile, progress: progress)
        do {
            JailStatus.process(name: process.plan.name, pid: try hostPID()).write(to: plan.statusFile)
            try start.run()
        } catch {
            JailStatus.failed(process: process.plan.name, reason: "\(error)").write(to: start.status)
            try? start.progress.writeAll([1])
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

    /// Gives up all descriptors and rights that watching does not need.
    func lockUp(keeping children: [Child]) throws(JailError) {
        try attempt(JailError.closeDescriptors) { () throws(Errno) in
            let log = plan.log.map { [$0.pipe, $0.file] } ?? []
            try Descriptors.closeAll(
                except: Set([0, 1, 2, plan.lifeline, plan.status] + log + children.map(\.pidfd.rawValue)))
        }
        try attempt(JailError.dropCapabilities) { () throws(Errno) in
            try CapabilitySets(keeping: []).applyBounding()
            try CapabilitySets(keeping: []).apply()
        }
        try attempt(JailError.setNoNewPrivileges, try Process.setNoNewPrivileges())
    }

    /// How long, in milliseconds, an orderly end waits for its cause: a program whose peer was killed exits with 0,
    /// and does so before the kernel has freed the peer's memory and reports the kill.
    static let patience: Int32 = 250

    /// Waits for a reason to end, reports it, and returns. Of several lines on the status descriptor the last is the
    /// reason.
    func watch(_ children: [Child]) throws(JailError) {
        let epoll = try attempt({ .watch("epoll", $0) }, try Epoll())
        let (lifelineToken, logToken) = (UInt64(children.count), UInt64(children.count + 1))
        let lifeline = BorrowedDescriptor(rawValue: plan.lifeline)
        // Only hang-ups matter there; what is written means nothing.
        try attempt({ .watch("the lifeline", $0) }, try epoll.add(lifeline, .peerHangUp, token: lifelineToken))
        for (index, child) in children.enumerated() {
            try attempt({ .watch(child.name, $0) }, try epoll.add(child.pidfd, .readable, token: UInt64(index)))
        }
        let pipe = plan.log.map { BorrowedDescriptor(rawValue: $0.pipe) }
        var log: ProgramLog?
        if let plan = plan.log, let pipe {
            log = try attempt({ .watch("the log", $0) }) { () throws(Errno) in
                try epoll.add(pipe, .readable, token: logToken)
                return try ProgramLog(plan)
            }
        }
        defer { log?.finish() }
        var running = children.count
        var patience = Self.patience
        while running > 0 {
            let isEnding = running < children.count
            let events = try attempt(
                { .watch("epoll", $0) }, try epoll.wait(milliseconds: isEnding ? patience : -1, limit: 1))
            guard let event = events.first else {
                if isEnding { return }
                continue
            }
            if event.token == logToken {
                // Nothing to move: all writers have gone, which their pidfds report as well.
                if log?.move() != true, let pipe { try? epoll.remove(pipe) }
                // A program that never stops writing does not delay the end.
                if isEnding { patience = max(0, patience - 1) }
                continue
            }
            guard event.token < lifelineToken else {
                JailStatus.released.write(to: plan.statusFile)
                return
            }
            let child = children[Int(event.token)]
            let status = try attempt({ .watch(child.name, $0) }) { () throws(Errno) in
                try epoll.remove(child.pidfd)
                return try Process.wait(for: child.pid)?.status
            }
            guard let status else { throw .watch(child.name, .noChild) }
            JailStatus.ended(process: child.name, status).write(to: plan.statusFile)
            if status != .exited(code: 0) { return }
            running -= 1
        }
    }
}
