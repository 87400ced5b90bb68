// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SandboxPlan

/// Create and Exec: a fork, and a process that is heard of later.
extension Agent {
    func create(_ plan: ContainerPlan, _ tokens: StreamTokens, isOwned: Bool, _ reply: Reply) throws(AgentError) {
        guard ContainerID(rawValue: plan.id) != nil else { throw .invalidID(plan.id) }
        guard containers[plan.id] == nil else { throw .containerExists }
        guard plan.namespaces.contains(where: { $0.kind == .mount && $0.joins == nil }) else {
            throw .missingMountNamespace
        }
        var joinedNamespaces: [LaunchContext.JoinedNamespace] = []
        var pidNamespace: BorrowedDescriptor?
        for namespace in plan.namespaces {
            guard let joined = namespace.joins else { continue }
            let other = try container(joined)
            guard other.first.isAlive else { throw .notRunning }
            if namespace.kind == .pid {
                pidNamespace = other.pidfd.borrowed
            } else {
                joinedNamespaces.append(
                    LaunchContext.JoinedNamespace(process: other.pidfd.borrowed, namespaces: namespace.kind.flag))
            }
        }
        var others: [String: BorrowedDescriptor] = [:]
        for case .guest(_, _, let id?) in plan.mounts.map(\.source) {
            let other = try container(id)
            guard other.first.isAlive else { throw .notRunning }
            others[id] = other.pidfd.borrowed
        }
        if !plan.namespaces.contains(where: { $0.kind == .pid }) { pidNamespace = try openSharedPIDNamespace() }
        // The cgroup namespace is made later, by the process itself, when it is in its cgroup.
        let new = plan.namespaces.filter { $0.joins == nil && $0.kind != .cgroup }
            .reduce(into: Process.Namespaces()) { $0.insert($1.kind.flag) }

        let cgroup = try GuestCgroup(container: plan.id, below: cgroups)
        do throws(AgentError) {
            try cgroup.apply(plan.resources)
            var mounted = plan
            try sockets.listen(for: &mounted)
            let plan = mounted
            let settings = settings
            let launch = Launch(
                name: ProcessName(container: plan.id), tokens: tokens, hasTerminal: plan.process.hasTerminal,
                namespaces: new, pidNamespace: pidNamespace, joinedNamespaces: joinedNamespaces, isOwned: isOwned,
                outOfMemoryCount: 0)
            // What mounts a disk enters its cgroup by itself, when it has done so.
            var beginning: BorrowedDescriptor? = cgroup.directory.borrowed
            if case .disk = plan.root.source {
                beginning = nil
                hasDisks = true
            }
            let process = try self.launch(launch, cgroup: beginning, reply) { context in
                var context = context
                context.others = others
                FirstProcess(plan: plan, agent: settings, context: context).run()
            }
            let pidfd: FileDescriptor
            do throws(Errno) {
                pidfd = try Process.descriptor(of: process.pid)
            } catch {
                process.kill()
                throw .system(operation: "pidfd", error)
            }
            let container = Container(
                id: plan.id, namespaces: plan.namespaces, cgroup: cgroup, first: process, pidfd: pidfd)
            containers[plan.id] = container
            watch(container)
        } catch {
            sockets.forget(plan.id)
            try? cgroup.remove()
            throw error
        }
    }

    private func watch(_ container: Container) {
        let directory = container.cgroup.directory.borrowed
        let files = [
            WatchedFile(loop, "cgroup.events", at: directory) { [unowned self, unowned container] in
                cgroupChanged(container)
            },
            WatchedFile(loop, "memory.events", at: directory) { [unowned self, unowned container] in
                tellOutOfMemory(container)
            },
        ]
        container.watchedFiles = files.compactMap { $0 }
        guard let programs else { return }
        container.pressure = PressureTrigger(loop, at: directory) { [unowned container] in
            programs.read(for: container.cgroup)
        }
    }

    /// Announces it where the kernel has killed in the container since it was last asked.
    func tellOutOfMemory(_ container: Container) {
        if container.cgroup.countOutOfMemory() { announce(.event(container: container.id, kind: "oom")) }
    }

    func exec(
        _ name: ProcessName, _ plan: ProcessPlan, _ tokens: StreamTokens, isOwned: Bool, ignoresPause: Bool,
        _ reply: Reply
    ) throws(AgentError) {
        let container = try container(name.container)
        guard let exec = name.exec, container.execs[exec] == nil else { throw .processExists(name.exec ?? "") }
        switch container.state {
        case .creating: throw .notCreatedYet
        case .stopped: throw .execInStopped
        case .paused where !ignoresPause: throw .execInPaused
        case .paused, .created, .running: break
        }
        guard container.first.isAlive else { throw .execInStopped }
        // The pid namespace is entered by forking, all others by the process itself.
        let others = NamespaceKind.allCases.filter { $0 != .pid && container.has(own: $0) }
            .reduce(into: Process.Namespaces()) { $0.insert($1.flag) }
        let launch = Launch(
            name: name, tokens: tokens, hasTerminal: plan.hasTerminal, namespaces: [],
            pidNamespace: container.pidfd.borrowed,
            joinedNamespaces: [LaunchContext.JoinedNamespace(process: container.pidfd.borrowed, namespaces: others)],
            isOwned: isOwned, outOfMemoryCount: container.cgroup.outOfMemoryCount)
        let limits = settings.defaultLimits
        let body = { (context: LaunchContext) -> Never in
            ExecProcess(name: exec, plan: plan, defaultLimits: limits, context: context).run()
        }
        // It begins in the first process's cgroup. A process at the top keeps systemd, which has made one below,
        // from passing controllers on; and where they are passed on, the top takes none.
        let first = container.first.pid
        let below = (try? container.cgroup.directory(of: first))?.release()
        defer { if let below { _ = FileDescriptor(owning: below) } }
        let process = try self.launch(
            launch,
            cgroup: below ?? container.cgroup.directory.borrowed,
            whereBusy: { () throws(Errno) in try container.cgroup.directory(of: first) }, reply, body)
        container.execs[exec] = process
        // The first process may have moved meanwhile.
        if below == nil, let moved = try? container.cgroup.directory(of: first) {
            try? FileDescriptor.open("cgroup.procs", at: moved.borrowed, .writeOnly)
                .writeAll(Array(String(process.pid).utf8))
            _ = consume moved
        }
    }

    /// What Create and Exec have in common.
    private struct Launch {
        let name: ProcessName
        let tokens: StreamTokens
        let hasTerminal: Bool
        let namespaces: Process.Namespaces
        let pidNamespace: BorrowedDescriptor?
        let joinedNamespaces: [LaunchContext.JoinedNamespace]
        let isOwned: Bool
        let outOfMemoryCount: UInt64
    }

    /// - Parameters:
    ///   - cgroup: what the process begins in; nil: the agent's own.
    ///   - whereBusy: what it begins in where `cgroup` takes no processes any more.
    private func launch(
        _ launch: Launch, cgroup: BorrowedDescriptor?, whereBusy: (() throws(Errno) -> FileDescriptor)? = nil,
        _ reply: Reply,
        _ body: (LaunchContext) -> Never
    ) throws(AgentError) -> GuestProcess {
        let name = launch.name
        let streams = try GuestStreams(loop, launch.tokens, from: streams, hasTerminal: launch.hasTerminal)
        let pair = try doing("channel", try UnixSocket.pair(type: .sequencedPacket))
        let ours = pair.first
        let theirs = pair.second
        let context = LaunchContext(
            channel: theirs.borrowed, streams: streams.processDescriptors, joinedNamespaces: launch.joinedNamespaces)
        let pid = try doing("fork") { () throws(Errno) in
            func fork(_ cgroup: BorrowedDescriptor?) throws(Errno) -> Int32 {
                let fork =
                    if let joined = launch.pidNamespace {
                        try Process.fork(inPIDNamespaceOf: joined, namespaces: launch.namespaces, cgroup: cgroup)
                    } else {
                        try Process.fork(namespaces: launch.namespaces, cgroup: cgroup)
                    }
                switch fork {
                case .child: body(context)
                case .parent(let pid): return pid
                }
            }
            do throws(Errno) {
                return try fork(cgroup)
            } catch {
                // Only the fork is tried again: what it was given is spent once.
                guard error == .busy, let whereBusy else { throw error }
                let directory = try whereBusy()
                let pid = try fork(directory.borrowed)
                _ = consume directory
                return pid
            }
        }
        _ = consume theirs
        streams.processHasThem()
        let process: GuestProcess
        do throws(Errno) {
            process = try GuestProcess(
                loop, name: name, pid: pid, channel: ours, streams: streams, reply: reply, isOwned: launch.isOwned,
                outOfMemoryCount: launch.outOfMemoryCount)
        } catch {
            try? Process.kill(pid, 9)
            throw .system(operation: "channel", error)
        }
        processes[pid] = (name.container, process)
        if !launch.hasTerminal { streams.begin() }
        return process
    }

    /// A pid namespace for containers that have none of their own: never the agent's, whose /proc shows it.
    private func openSharedPIDNamespace() throws(AgentError) -> BorrowedDescriptor {
        if let keeper = sharedPIDNamespace?.borrowed { return keeper }
        let pipe = try doing("pipe", try FileDescriptor.pipe())
        let reader = pipe.reader
        let writer = pipe.writer
        let pid = try doing("fork") { () throws(Errno) in
            switch try Process.fork(namespaces: .pid) {
            case .child: PIDNamespaceKeeper.run()
            case .parent(let pid): return pid
            }
        }
        let descriptor = try doing("pidfd", try Process.descriptor(of: pid))
        // The keeper closes its end with the agent's other descriptors: no container sees it before.
        _ = consume writer
        let heard = try doing(
            "pid namespace", try Poll.wait(reader.borrowed, .readable, until: Deadline(after: .seconds(10))))
        if heard.isEmpty {
            try? Process.kill(pid, 9)
            throw .system(operation: "pid namespace", .timedOut)
        }
        let keeper = descriptor.borrowed
        sharedPIDNamespace = consume descriptor
        return keeper
    }
}

/// PID 1 of the pid namespace that containers without one of their own share: it reaps, and nothing else.
enum PIDNamespaceKeeper {
    static func run() -> Never {
        // It ends with the agent, and with it everything in the namespace.
        try? Process.setParentDeathSignal(9)
        Process.setName("pidns")
        // Last: the agent takes its descriptors' end for the sign that the namespace is ready.
        try? ProcessSettings.leaveAgent(keeping: [])
        while true {
            if (try? Process.wait()) == nil { SystemTime.sleep(milliseconds: 1000) }
        }
    }
}
