// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import SandboxPlan

/// What the host may ask, one request a method; those that take time answer later.
extension Agent {
    func handle(_ request: Request, _ reply: Reply) {
        do throws(AgentError) {
            if reply.connection?.isGreeted != true {
                guard case .hello(let version) = request else { throw .greetingMissing }
                return try greet(version, reply)
            }
            if let answer = try answer(request, reply) { reply.send(answer) }
        } catch {
            reply.fail(error)
        }
    }

    private func greet(_ version: UInt32, _ reply: Reply) throws(AgentError) {
        // The answer names our version, so that the host can say what does not fit.
        reply.connection?.isGreeted = version == AgentProtocol.version
        reply.send(.welcome(version: AgentProtocol.version))
    }

    /// nil where the answer comes later.
    private func answer(_ request: Request, _ reply: Reply) throws(AgentError) -> Answer? {
        switch request {
        case .hello(let version):
            try greet(version, reply)
            return nil
        case .configure(let configuration):
            try configure(configuration)
        case .create(let plan, let tokens, let isOwned):
            try create(plan, tokens, isOwned: isOwned, reply)
            return nil
        case .start(let id):
            try start(container(id), reply)
            return nil
        case .exec(let name, let plan, let tokens, let isOwned, let ignoresPause):
            try exec(name, plan, tokens, isOwned: isOwned, ignoresPause: ignoresPause, reply)
            return nil
        case .signal(let name, let number, let toAll):
            try signal(name, number, toAll: toAll)
        case .wait(let name):
            try process(name).wait(reply)
            forgetIfTold(name)
            return nil
        case .resize(let name, let size):
            try process(name).streams.resize(rows: size.rows, columns: size.columns)
        case .closeStdin(let name):
            try process(name).streams.closeInput()
        case .update(let id, let resources):
            try container(id).cgroup.apply(resources)
        case .pause(let id):
            try pause(container(id), reply)
            return nil
        case .resume(let id):
            try resume(container(id))
        case .stats(let id):
            return .statistics(CgroupStatistics.read(try container(id).cgroup))
        case .processes(let id):
            return .processes(ProcessTable.read(try container(id).cgroup.processes()))
        case .delete(let id, let force):
            try delete(container(id), force: force, reply)
            return nil
        case .forgetShare(let name):
            forgetShare(name)
        case .network(let plan):
            try network.become(plan)
        case .resolver(let port, let token):
            try offerResolver(port: port, token)
        case .shutdown:
            requestShutdown(reply)
            return nil
        }
        return .done
    }

    func container(_ id: String) throws(AgentError) -> Container {
        guard let container = containers[id] else { throw .noSuchContainer }
        return container
    }

    private func process(_ name: ProcessName) throws(AgentError) -> GuestProcess {
        let container = try container(name.container)
        guard let exec = name.exec else { return container.first }
        guard let process = container.execs[exec] else { throw .noSuchProcess(exec) }
        return process
    }

    /// A process of exec's is forgotten once its end was answered: there is no request to delete it.
    private func forgetIfTold(_ name: ProcessName) {
        guard let exec = name.exec, let container = containers[name.container],
            container.execs[exec]?.hasEnded == true
        else { return }
        container.execs[exec] = nil
    }

    private func configure(_ configuration: GuestConfiguration) throws(AgentError) {
        if !configuration.hostname.isEmpty {
            try doing("sethostname", try Kernel.setHostname(configuration.hostname))
        }
        if configuration.timeNanoseconds != 0 {
            try doing("set the clock", try Kernel.setTime(nanoseconds: configuration.timeNanoseconds))
        }
        if !configuration.entropy.isEmpty {
            try doing(
                "add entropy",
                try Kernel.addEntropy(
                    configuration.entropy, to: FileDescriptor.open("/dev/random", .writeOnly)))
        }
        KernelParameters.set(configuration.kernelParameters)
        KernelParameters.raise(configuration.leastKernelParameters)
    }

    /// Answers names by the host's port from now on, and by no other.
    private func offerResolver(port: UInt32, _ token: StreamToken) throws(AgentError) {
        resolver?.close()
        resolver = nil
        resolver = try doing("resolver") { () throws(Errno) in
            try GuestResolver(loop, ResolverEntrance(GuestResolver.address), token: token) { () throws(Errno) in
                try VsockSocket.beginConnecting(cid: VsockSocket.hostCID, port: port)
            }
        }
    }

    private func start(_ container: Container, _ reply: Reply) throws(AgentError) {
        switch container.first.stage {
        case .launching?: throw .notCreatedYet
        case .created?: try container.first.start(reply)
        case .starting?, .running?: throw .alreadyRunning
        case nil: throw .hasStopped
        }
    }

    private func signal(_ name: ProcessName, _ number: Int32, toAll: Bool) throws(AgentError) {
        guard (0...64).contains(number) else { throw .system(operation: "kill", .invalidArgument) }
        let container = try container(name.container)
        if toAll, name.exec == nil, container.state != .creating {
            for process in container.processes { process.requestedSignals.insert(number) }
            return try container.signalAll(number)
        }
        let process = try process(name)
        guard process.isAlive else { throw .notRunning }
        process.requestedSignals.insert(number)
        try doing("kill", try Process.kill(process.pid, number))
    }

    private func pause(_ container: Container, _ reply: Reply) throws(AgentError) {
        guard container.state == .running || container.state == .created else { throw .notRunning }
        try container.cgroup.freeze(true)
        container.isPaused = true
        container.pauseReplies.append(reply)
        cgroupChanged(container)
    }

    private func resume(_ container: Container) throws(AgentError) {
        guard container.isPaused else { throw .notPaused }
        try container.cgroup.freeze(false)
        container.isPaused = false
        for reply in container.pauseReplies { reply.send(.done) }
        container.pauseReplies = []
    }

    /// cgroup.events says something new: everything has stopped, or stands still.
    func cgroupChanged(_ container: Container) {
        if !container.pauseReplies.isEmpty, container.cgroup.isFrozen {
            for reply in container.pauseReplies { reply.send(.done) }
            container.pauseReplies = []
        }
        settle(container.first, in: container)
    }

    /// Has the kernel ask the host for `name` anew, find nothing, and let go of all it knew below. A host that makes a name
    /// must know that it is free, so no cached answer will do; and the host's tree takes no new names.
    private func forgetShare(_ name: String) {
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != ".", name != ".." else { return }
        makeNameInSharedTree(name)
    }

    private func delete(_ container: Container, force: Bool, _ reply: Reply) throws(AgentError) {
        if container.state != .stopped {
            guard force else { throw .notStopped(id: container.id, state: container.state.rawValue) }
            for process in container.processes { process.requestedSignals.insert(SIGKILL) }
            container.kill()
        }
        container.deleteReplies.append(reply)
        finishDelete(of: container)
    }
}
