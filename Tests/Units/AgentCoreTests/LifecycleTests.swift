// SPDX-License-Identifier: Apache-2.0
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

    @Test("Requests that do not fit the container's state are refused with the reason")
    func words() throws {
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

    @Test(
        "A program that cannot be executed fails create and leaves nothing behind",
        arguments: [
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

    @Test("A program of unknown format fails start and counts as exit code 126")
    func programOfNoFormat() throws {
        try agent.makeFile("0/rootfs/bin/junk", "junk", mode: 0o755)
        try agent.control.call(
            .create(agent.plan("c", ["junk"]), streams: StreamTokens(), isOwned: true), timeout: .seconds(10))
        #expect(agent.refusal(.start(container: "c"))?.hasSuffix("exec /bin/junk: exec format error") == true)
        #expect(try agent.wait(ProcessName(container: "c"))?.status == .exited(code: 126))
    }

    @Test("Exec runs a process in the container with a user, directory and terminal of its own")
    func exec() throws {
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
        // Who stays behind without the streams does not keep them from ending.
        let third = try agent.exec("c", "e", agent.process(["sh", "-c", "sleep 100 >/dev/null 2>&1 & echo gone"]))
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

    @Test("Exec of a missing program fails and leaves no process behind")
    func execOfNothing() throws {
        try agent.startLasting("c")
        let name = ProcessName(container: "c", exec: "e")
        #expect(
            agent.refusal(.exec(name, process: agent.process(["nothere"]), streams: StreamTokens(), isOwned: true))
                == "unable to start container process: exec: \"nothere\": executable file not found in $PATH")
        #expect(agent.refusal(.wait(name)) == "process e does not exist")
    }

    @Test("An owned container is killed when its owner's connection closes")
    func ownedDiesWithItsConnection() throws {
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

    @Test("exec begins in the cgroup that the first process has moved to")
    func execFollowsTheFirstProcess() throws {
        try agent.startLasting("c") { plan in
            plan.mounts.append(MountPlan(destination: "/sys/fs/cgroup", source: .cgroup))
            let move = "cd /sys/fs/cgroup && busybox mkdir own && echo 1 >own/cgroup.procs"
            plan.process.arguments = ["sh", "-c", "\(move) && echo up; while :; do sleep 0.05; done"]
        }
        let outcome = try agent.exec("c", "e", agent.process(["head", "-n", "100", "/proc/self/cgroup"]))
        #expect(outcome.output.split(separator: "\n").contains("0::/own"))
    }

    @Test("A paused container refuses exec and can be deleted by force")
    func pauseAndDeleteByForce() throws {
        try agent.startLasting("c")
        try agent.control.call(.pause(container: "c"), timeout: .seconds(10))
        let name = ProcessName(container: "c", exec: "e")
        let exec = Request.exec(name, process: agent.process(["true"]), streams: StreamTokens(), isOwned: true)
        #expect(agent.refusal(exec)?.hasPrefix("cannot exec in a paused container") == true)
        try agent.control.call(.delete(container: "c", force: true), timeout: .seconds(10))
        #expect(agent.refusal(.stats(container: "c")) == "container does not exist")
    }

    @Test("An exec that ignores the pause starts when the container resumes")
    func aPausedContainerTakesAnExecThatWaits() throws {
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

    @Test("Containers of a pod share the namespaces they name")
    func sharedNamespaces() throws {
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

    @Test("Eight containers run at once, each with its own output and exit code")
    func manyAtOnce() throws {
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
