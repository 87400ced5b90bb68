// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Linux
import SandboxPlan
import Testing

/// Plans, frames and roots of someone who means no good.
@Suite(.serialized, .enabled(if: HostedAgent.lack == nil, "\(HostedAgent.lack ?? "")"))
struct HostileTests {
    let agent: HostedAgent

    init() throws { agent = try HostedAgent() }

    func link(_ path: String, to target: String) throws {
        let root = try FileDescriptor.open(agent.directory + "/shared/0/rootfs", [.directory])
        try FileNode.makeSymlink(path, at: root.borrowed, target: target)
    }

    func bind(_ destination: String, _ path: String = "0/vol") -> MountPlan {
        MountPlan(destination: destination, source: .shared(path: path, isFile: false, recursive: false))
    }

    @Test("Symbolic links and dot-dot in mount destinations resolve inside the root")
    func linksDoNotLeadOut() throws {
        try Directory.make(agent.directory + "/shared/0/vol", mode: 0o755)
        try agent.makeFile("0/vol/x", "x")
        let target = agent.directory + "/escaped"
        try link("absolute", to: target)
        try link("up", to: "../../../../../../../../.." + target)
        try link("loop", to: "loop")
        var plan = agent.plan("c", "ls /absolute/a \(target)/b")
        plan.mounts += [bind("/absolute/a"), bind("/up/b"), bind("/../../c")]
        let outcome = try agent.run(plan)
        #expect(outcome.output.contains("/absolute/a:\nx\n"))
        #expect(outcome.output.contains("\(target)/b:\nx\n"))
        #expect((try? FileDescriptor.open(target, .path)) == nil, "made outside of the root")
        plan.mounts.append(bind("/loop/d"))
        #expect(agent.refusal(plan)?.contains("too many levels of symbolic links") == true)
    }

    @Test("Mounts over the root, over /proc or below it are refused")
    func procIsNotCovered() throws {
        try Directory.make(agent.directory + "/shared/0/vol", mode: 0o755)
        for destination in ["/proc/self/attr", "/proc/sys", "/bin/../proc/1"] {
            var plan = agent.plan("c", "true")
            plan.mounts.append(bind(destination))
            #expect(agent.refusal(plan)?.contains("cannot be mounted because it is inside /proc") == true)
        }
        var plan = agent.plan("c", "true")
        plan.mounts.append(bind("/proc"))
        #expect(agent.refusal(plan)?.contains("not of type proc") == true)
        plan.mounts = [bind("/")]
        #expect(agent.refusal(plan)?.contains("is not allowed") == true)
    }

    @Test("A proc mount whose destination is a symbolic link is refused")
    func procBehindALink() throws {
        try link("elsewhere", to: "/tmp")
        var plan = agent.plan("c", "true")
        plan.mounts.append(
            MountPlan(
                destination: "/elsewhere",
                source: .fileSystem(type: "proc", source: "proc", options: [], copiesUp: false)))
        #expect(agent.refusal(plan)?.contains("must be mounted on ordinary directory") == true)
    }

    @Test("A root outside the shared tree is refused, by path and by symbolic link")
    func rootsOutsideTheSharedTree() throws {
        for path in ["../root", "0/../../root", "/etc", "0/none"] {
            var plan = agent.plan("c", "true")
            plan.root.source = .shared(path: path)
            #expect(agent.refusal(plan)?.contains("open the root filesystem") == true)
        }
        try link("../out", to: "/etc")
        var plan = agent.plan("c", "true")
        plan.root.source = .shared(path: "0/out")
        #expect(agent.refusal(plan)?.contains("open the root filesystem") == true)
    }

    @Test("A working directory below /proc/self/fd is refused")
    func directoriesByDescriptor() throws {
        for number in 3..<12 {
            var plan = agent.plan("c", "true")
            plan.process.workingDirectory = "/proc/self/fd/\(number)"
            #expect(agent.refusal(plan) != nil)
        }
    }

    @Test("Names that are no resource file or no sysctl are refused")
    func resourcesThatAreNone() throws {
        for name in ["../cgroup.procs", "cgroup.procs", "memory", ".x", "a/b.c"] {
            var plan = agent.plan("c", "true")
            plan.resources.files = [KernelParameter(name: name, value: "1")]
            #expect(agent.refusal(plan) == "\(name) is no file of a cgroup's resources")
        }
        var plan = agent.plan("c", "true")
        plan.kernelParameters = [KernelParameter(name: "../self/oom_score_adj", value: "1")]
        #expect(agent.refusal(plan)?.contains("write sysctl") == true)
        #expect(try agent.run(agent.plan("c", "exit 1")).code == 1)
    }

    @Test("Broken frames and requests before hello are refused, and the agent goes on")
    func framesOfNobody() throws {
        let socket = try UnixSocket.connect(to: agent.directory + "/control")
        try socket.writeAll([255, 255, 255, 127, 0])
        #expect(try socket.readAll(limit: 4096).count > 4)
        let early = try UnixSocket.connect(to: agent.directory + "/control")
        try early.writeAll(RequestMessage(id: 9, request: .shutdown).frame())
        var reader = FrameReader()
        reader.append(try early.read(upTo: 4096))
        let answer = try AnswerMessage(decoding: reader.next() ?? [])
        #expect(answer.id == 9)
        #expect(answer.answer == .failure(Failure(stage: "request", message: "the first request must be hello")))
        for hello: [UInt8] in [[0, 0, 0, 0], [200, 0, 0, 0], [4, 0, 0, 0, 1, 2, 3, 4]] {
            let stream = try UnixSocket.connect(to: agent.directory + "/streams")
            try stream.writeAll(hello)
            #expect(try stream.readAll(limit: 10).isEmpty)
        }
        #expect(try agent.run(agent.plan("c", "exit 1")).code == 1)
    }

    @Test("Unknown stream tokens and unknown containers are refused")
    func streamsOfNobody() throws {
        let request = Request.create(
            agent.plan("c", "true"), streams: StreamTokens(output: .random()), isOwned: true)
        #expect(agent.refusal(request) == "no stream with this token is open")
        #expect(agent.refusal(.stats(container: "c")) == "container does not exist")
    }

    /// A stream whose host end goes away stops nothing but itself.
    @Test("A process whose output reader has left still ends and is reported")
    func streamsThatGo() throws {
        let streams = try TestStreams(agent, takesInput: true, hasTerminal: false)
        let plan = agent.plan("c", "sleep 0.2; echo lost; echo lost; exit 4")
        try agent.control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: .seconds(10))
        try UnixSocket.shutdownReading(streams.output.borrowed)
        try UnixSocket.shutdownWriting(streams.output.borrowed)
        try agent.control.call(.start(container: "c"), timeout: .seconds(10))
        #expect(try agent.wait(ProcessName(container: "c")) != nil)
    }
}
