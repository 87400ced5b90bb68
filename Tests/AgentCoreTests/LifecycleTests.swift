import AgentClient
import AgentProtocol
import Linux
import SandboxPlan
import Testing

/// The order of things, and what is said when it is not kept.
@Suite(.serialized, .enabled(if: HostedAgent.lack == nil, "\(HostedAgent.lack ?? "")"))
struct LifecycleTests {
    let agent: HostedAgent

    init() throws { agent = try HostedAgent() }

    @Test func words() throws {
        #expect(agent.refusal(.start(container: "c")) == "container does not exist")
        #expect(agent.refusal(agent.plan("../c", "true")) == "invalid container ID format: ../c")
        try agent.startLasting("c")
        #expect(agent.refusal(agent.plan("c", "true")) == "container with given ID already exists")
        #expect(agent.refusal(.start(container: "c")) == "cannot start an already running container")
        #expect(
            agent.refusal(.delete(container: "c", force: false))
                == "cannot delete container c that is not stopped: running")
        #expect(agent.refusal(.resume(container: "c")) == "container not paused")
        #expect(
            agent.refusal(.signal(ProcessName(container: "c"), number: 65, toAll: false)) == "kill: invalid argument")
        try agent.control.call(.signal(ProcessName(container: "c"), number: 15, toAll: false), timeout: .seconds(5))
        #expect(try agent.wait(ProcessName(container: "c"))?.status == .exited(code: 5))
        #expect(agent.refusal(.start(container: "c")) == "cannot start a container that has stopped")
        #expect(
            agent.refusal(.signal(ProcessName(container: "c"), number: 15, toAll: false)) == "container not running")
        #expect(agent.refusal(.pause(container: "c")) == "container not running")
        let exec = Request.exec(
            ProcessName(container: "c", exec: "e"), process: agent.process(["true"]), streams: StreamTokens(),
            isOwned: true)
        #expect(agent.refusal(exec) == "cannot exec in a stopped container")
        try agent.control.call(.delete(container: "c", force: false), timeout: .seconds(5))
        #expect(agent.refusal(.delete(container: "c", force: true)) == "container does not exist")
    }

    @Test(arguments: [
        (["nothere"], "exec: \"nothere\": executable file not found in $PATH"),
        (["/no/such"], "exec: \"/no/such\": stat /no/such: no such file or directory"),
        (["/etc/passwd"], "exec: \"/etc/passwd\": permission denied"),
        (["/etc"], "exec: \"/etc\": permission denied"),
    ])
    func programsThatAreNone(arguments: [String], message: String) throws {
        let refusal = agent.refusal(agent.plan("c", arguments))
        #expect(refusal == "unable to start container process: " + message)
        // Nothing is left of it.
        #expect(agent.refusal(.start(container: "c")) == "container does not exist")
    }

    @Test func programOfNoFormat() throws {
        try agent.makeFile("0/rootfs/bin/junk", "junk", mode: 0o755)
        try agent.control.call(
            .create(agent.plan("c", ["junk"]), streams: StreamTokens(), isOwned: true), timeout: .seconds(10))
        #expect(agent.refusal(.start(container: "c"))?.hasSuffix("exec /bin/junk: exec format error") == true)
        #expect(try agent.wait(ProcessName(container: "c"))?.status == .exited(code: 126))
    }

    @Test func exec() throws {
        try agent.startLasting("c")
        let first = try agent.exec("c", "e", agent.process(["sh", "-c", "hostname; cat; exit 9"]), input: [104, 105])
        #expect(first.output == "box\nhi")
        #expect(first.code == 9)
        // The name is free again once the end was told.
        var process = agent.process(["sh", "-c", "id -u; pwd; tty; stty size"])
        process.user.uid = 7
        process.workingDirectory = "/tmp"
        process.hasTerminal = true
        process.terminalSize = TerminalSize(rows: 2, columns: 3)
        let second = try agent.exec("c", "e", process)
        #expect(second.output == "7\r\n/tmp\r\n/dev/pts/0\r\n2 3\r\n")
        // Who stays behind with the stream open does not keep it from ending.
        let third = try agent.exec("c", "e", agent.process(["sh", "-c", "sleep 100 & echo gone"]))
        #expect(third.output == "gone\n")
        // The shell has forked it, and it may be about to exec still.
        let patience = Deadline(after: .seconds(5))
        var isListed = false
        while !isListed, !patience.hasPassed {
            guard case .processes(let list) = try agent.control.call(.processes(container: "c"), timeout: .seconds(5))
            else { break }
            isListed = list.contains { $0.command == "sleep 100" }
            SystemTime.sleep(milliseconds: 10)
        }
        #expect(isListed)
    }

    @Test func execOfNothing() throws {
        try agent.startLasting("c")
        let name = ProcessName(container: "c", exec: "e")
        #expect(
            agent.refusal(.exec(name, process: agent.process(["nothere"]), streams: StreamTokens(), isOwned: true))
                == "unable to start container process: exec: \"nothere\": executable file not found in $PATH")
        #expect(agent.refusal(.wait(name)) == "process e does not exist")
    }

    @Test func ownedDiesWithItsConnection() throws {
        do {
            let owner = try AgentConnection(
                socket: try UnixSocket.connect(to: agent.directory + "/control"),
                deadline: Deadline(after: .seconds(10)))
            try owner.call(
                .create(agent.plan("c", "sleep 100"), streams: StreamTokens(), isOwned: true), timeout: .seconds(10))
            try owner.call(.start(container: "c"), timeout: .seconds(10))
        }
        #expect(try agent.wait(ProcessName(container: "c"))?.status == .signaled(signal: 9))
    }

    @Test func pauseAndDeleteByForce() throws {
        try agent.startLasting("c")
        try agent.control.call(.pause(container: "c"), timeout: .seconds(10))
        let name = ProcessName(container: "c", exec: "e")
        let exec = Request.exec(name, process: agent.process(["true"]), streams: StreamTokens(), isOwned: true)
        #expect(agent.refusal(exec)?.hasPrefix("cannot exec in a paused container") == true)
        try agent.control.call(.delete(container: "c", force: true), timeout: .seconds(10))
        #expect(agent.refusal(.stats(container: "c")) == "container does not exist")
    }

    @Test func aPausedContainerTakesAnExecThatWaits() throws {
        try agent.startLasting("c")
        try agent.control.call(.pause(container: "c"), timeout: .seconds(10))
        let name = ProcessName(container: "c", exec: "e")
        let id = try agent.control.send(
            .exec(
                name, process: agent.process(["sh", "-c", "exit 3"]), streams: StreamTokens(), isOwned: true,
                ignoresPause: true))
        // It has not begun: nothing answers before the container goes on.
        #expect(try Poll.wait(agent.control.descriptor, .readable, until: Deadline(after: .milliseconds(200))).isEmpty)
        try agent.control.call(.resume(container: "c"), timeout: .seconds(10))
        var answer: Answer?
        let deadline = Deadline(after: .seconds(10))
        while answer == nil, !deadline.hasPassed {
            _ = try Poll.wait(agent.control.descriptor, .readable, until: deadline)
            while let message = try agent.control.receive() {
                if message.id == id { answer = message.answer }
            }
        }
        guard case .started = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
        #expect(try agent.wait(name)?.status == .exited(code: 3))
    }

    @Test func theEndIsToldEarlyWhereNobodyReadsTheOutput() throws {
        let streams = try TestStreams(agent, takesInput: false, hasTerminal: false)
        let plan = agent.plan("c", "head -c 1000000 /dev/zero & sleep 0.1; exit 4")
        try agent.control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: .seconds(10))
        let name = ProcessName(container: "c")
        let wait = try agent.control.send(.wait(name))
        try agent.control.call(.start(container: "c"), timeout: .seconds(10))
        guard case .exited(let early) = try agent.control.call(.wait(name, isEarly: true), timeout: .seconds(10)) else {
            Issue.record("no end")
            return
        }
        #expect(early.status == .exited(code: 4))
        // Asked again, it is still known.
        try agent.control.call(.wait(name, isEarly: true), timeout: .seconds(10))
        // The other waits for the output to be taken.
        #expect(try agent.control.receive() == nil)
        _ = try streams.exchange([])
        _ = try Poll.wait(agent.control.descriptor, .readable, until: Deadline(after: .seconds(10)))
        #expect(try agent.control.receive()?.id == wait)
    }

    @Test func sharedNamespaces() throws {
        try agent.startLasting("pod")
        var member = agent.plan("member", "cat /proc/1/cmdline; hostname")
        member.hostname = nil
        member.namespaces = [NamespacePlan(kind: .mount)]
        for kind in [NamespaceKind.pid, .uts, .ipc, .network] {
            member.namespaces.append(NamespacePlan(kind: kind, joins: "pod"))
        }
        let outcome = try agent.run(member)
        #expect(outcome.output.hasPrefix("sh\0-c\0trap"))
        #expect(outcome.output.hasSuffix("box\n"))
        // Without a pid namespace it is in one of the guest's, never in the agent's.
        member.namespaces = [NamespacePlan(kind: .mount)]
        member.process.arguments = ["cat", "/proc/1/comm"]
        #expect(try agent.run(member).output == "pidns\n")
        member.namespaces = []
        #expect(agent.refusal(member) == "a container must have a mount namespace of its own")
    }

    @Test func manyAtOnce() throws {
        var running: [(id: UInt64, streams: TestStreams)] = []
        for index in 0..<8 {
            let streams = try TestStreams(agent, takesInput: false, hasTerminal: false)
            let plan = agent.plan("c\(index)", "head -c 500000 /dev/zero; exit \(index)")
            try agent.control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: .seconds(20))
            running.append((try agent.control.send(.start(container: plan.id)), streams))
        }
        for (index, entry) in running.enumerated() {
            #expect(try entry.streams.exchange([]).outputBytes.count == 500_000)
            #expect(try agent.wait(ProcessName(container: "c\(index)"))?.status == .exited(code: UInt8(index)))
        }
    }
}
