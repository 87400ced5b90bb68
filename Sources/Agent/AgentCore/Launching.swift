import AgentProtocol
import Linux
import SandboxPlan

/// Create and Exec: a fork, and a process that is heard of later.
extension Agent {
    func create(_ plan: ContainerPlan, _ tokens: StreamTokens, isOwned: Bool, _ reply: Reply) throws(AgentError) {
        guard Self.isValid(plan.id) else { throw .invalidID(plan.id) }
        guard containers[plan.id] == nil else { throw .containerExists }
        guard plan.namespaces.contains(where: { $0.kind == .mount && $0.joins == nil }) else {
            throw .missingMountNamespace
        }
        var entrances: [ProcessStanding.Entrance] = []
        var pidNamespace: Int32?
        for namespace in plan.namespaces {
            guard let joined = namespace.joins else { continue }
            let other = try container(joined)
            guard other.first.status == nil else { throw .notRunning }
            if namespace.kind == .pid {
                pidNamespace = other.pidfd.rawValue
            } else {
                entrances.append(
                    ProcessStanding.Entrance(descriptor: other.pidfd.rawValue, namespaces: namespace.kind.flag))
            }
        }
        if !plan.namespaces.contains(where: { $0.kind == .pid }) { pidNamespace = try openSharedPIDNamespace() }
        // The cgroup namespace is made later, by the process itself, when it is in its cgroup.
        let new = plan.namespaces.filter { $0.joins == nil && $0.kind != .cgroup }
            .reduce(into: Process.Namespaces()) { $0.insert($1.kind.flag) }

        let cgroup = try GuestCgroup(container: plan.id, below: cgroups)
        do throws(AgentError) {
            try cgroup.apply(plan.resources)
            let ground = ground
            let launch = Launch(
                name: ProcessName(container: plan.id), tokens: tokens, hasTerminal: plan.process.hasTerminal,
                namespaces: new, pidNamespace: pidNamespace, entrances: entrances, isOwned: isOwned,
                outOfMemoryCount: 0)
            // What mounts a disk enters its cgroup by itself, when it has done so.
            var beginning: Int32? = cgroup.directory.rawValue
            if case .disk = plan.root.source {
                beginning = nil
                hasDisks = true
            }
            let process = try self.launch(launch, cgroup: beginning, reply) { standing in
                FirstProcess(plan: plan, ground: ground, standing: standing).run()
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
            try? cgroup.remove()
            throw error
        }
    }

    private func watch(_ container: Container) {
        let directory = container.cgroup.directory.rawValue
        let files = [
            WatchedFile(loop, "cgroup.events", at: directory) { [unowned self, unowned container] in
                cgroupChanged(container)
            },
            WatchedFile(loop, "memory.events", at: directory) { [unowned self, unowned container] in
                tellOutOfMemory(container)
            },
        ]
        container.watchedFiles = files.compactMap { $0 }
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
        guard container.first.status == nil else { throw .execInStopped }
        // The pid namespace is entered by forking, all others by the process itself.
        let others = NamespaceKind.allCases.filter { $0 != .pid && container.has(own: $0) }
            .reduce(into: Process.Namespaces()) { $0.insert($1.flag) }
        let launch = Launch(
            name: name, tokens: tokens, hasTerminal: plan.hasTerminal, namespaces: [],
            pidNamespace: container.pidfd.rawValue,
            entrances: [ProcessStanding.Entrance(descriptor: container.pidfd.rawValue, namespaces: others)],
            isOwned: isOwned, outOfMemoryCount: container.cgroup.outOfMemoryCount)
        let limits = ground.defaultLimits
        let body = { (standing: ProcessStanding) -> Never in
            ExecProcess(name: exec, plan: plan, defaultLimits: limits, standing: standing).run()
        }
        let own = container.cgroup.directory.rawValue
        do {
            container.execs[exec] = try self.launch(launch, cgroup: own, reply, body)
        } catch .system(_, .busy) {
            // A container that has cgroups of its own takes no process at the top: it goes to the first one's.
            let first = try doing("cgroup") { () throws(Errno) in
                try container.cgroup.directory(of: container.first.pid)
            }
            container.execs[exec] = try self.launch(launch, cgroup: first.rawValue, reply, body)
        }
    }

    /// What Create and Exec have in common.
    private struct Launch {
        let name: ProcessName
        let tokens: StreamTokens
        let hasTerminal: Bool
        let namespaces: Process.Namespaces
        let pidNamespace: Int32?
        let entrances: [ProcessStanding.Entrance]
        let isOwned: Bool
        let outOfMemoryCount: UInt64
    }

    private func launch(
        _ launch: Launch, cgroup: Int32?, _ reply: Reply, _ body: (ProcessStanding) -> Never
    ) throws(AgentError) -> GuestProcess {
        let name = launch.name
        let streams = try ProcessStreams(
            loop, launch.tokens, from: streams, hasTerminal: launch.hasTerminal,
            whenDrained: { [unowned self] in outputEnded(of: name) })
        let pair = try doing("channel") { () throws(Errno) in try UnixSocket.pair(type: .sequencedPacket) }
        let ours = pair.first
        let theirs = pair.second
        let standing = ProcessStanding(
            channel: theirs.rawValue, streams: streams.processDescriptors, entrances: launch.entrances)
        let pid = try doing("fork") { () throws(Errno) in
            try Spawn.fork(
                namespaces: launch.namespaces, cgroup: cgroup, pidNamespace: launch.pidNamespace
            ) { body(standing) }
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

    private func outputEnded(of name: ProcessName) {
        guard let container = containers[name.container] else { return }
        let process = name.exec.map { container.execs[$0] } ?? container.first
        if let process { settle(process, in: container) }
    }

    /// A pid namespace for containers that have none of their own: never the agent's, whose /proc shows it.
    private func openSharedPIDNamespace() throws(AgentError) -> Int32 {
        if let number = sharedPIDNamespace?.rawValue { return number }
        let pid = try doing("fork") { () throws(Errno) in
            switch try Process.fork(namespaces: .pid) {
            case .child: PIDNamespaceKeeper.run()
            case .parent(let pid): return pid
            }
        }
        let descriptor = try doing("pidfd") { () throws(Errno) in try Process.descriptor(of: pid) }
        let number = descriptor.rawValue
        sharedPIDNamespace = consume descriptor
        return number
    }

    /// 1 to 255 bytes of `[A-Za-z0-9_+.-]`, not `.` or `..`.
    static func isValid(_ id: String) -> Bool {
        let isName = id.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || [0x5f, 0x2b, 0x2e, 0x2d].contains($0)
        }
        return isName && (1...255).contains(id.utf8.count) && id != "." && id != ".."
    }
}

/// PID 1 of the pid namespace that containers without one of their own share: it reaps, and nothing else.
enum PIDNamespaceKeeper {
    static func run() -> Never {
        try? ProcessSettings.leaveAgent(keeping: [])
        // It ends with the agent, and with it everything in the namespace.
        try? Process.setParentDeathSignal(9)
        Process.setName("pidns")
        while true {
            if (try? Process.wait()) == nil { SystemTime.sleep(milliseconds: 1000) }
        }
    }
}
