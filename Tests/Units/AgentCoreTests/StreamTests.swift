// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Linux
import SandboxPlan
import Testing

/// How long a process's streams last, and what is told of them.
@Suite(.serialized, .enabled(if: HostedAgent.lack == nil, "\(HostedAgent.lack ?? "")"))
struct StreamTests {
    let agent: HostedAgent
    private let exec = ProcessName(container: "c", exec: "e")

    init() throws { agent = try HostedAgent() }

    private func startExec(_ script: String) throws -> TestStreams {
        let streams = try TestStreams(agent, takesInput: false, hasTerminal: false)
        try agent.control.call(
            .exec(exec, process: agent.process(["sh", "-c", script]), streams: streams.tokens, isOwned: true),
            timeout: HostedAgent.patience)
        return streams
    }

    /// What comes on `socket` until its end, or until `deadline`.
    private func read(_ socket: BorrowedDescriptor, until deadline: Deadline) throws -> (text: String, hasEnded: Bool) {
        var bytes: [UInt8] = []
        while !deadline.hasPassed {
            if try Poll.wait(socket, .readable, until: deadline).isEmpty { break }
            guard let chunk = try Socket.receive(upTo: 65536, from: socket) else { continue }
            if chunk.isEmpty { return (String(decoding: bytes, as: UTF8.self), true) }
            bytes += chunk
        }
        return (String(decoding: bytes, as: UTF8.self), false)
    }

    @Test("Exit code and byte counts are reported while the output is still unread")
    func theEndIsToldWhereNobodyReadsTheOutput() throws {
        let streams = try TestStreams(agent, takesInput: false, hasTerminal: false)
        let plan = agent.plan("c", "head -c 1000000 /dev/zero & sleep 0.3; exit 4")
        try agent.control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: HostedAgent.patience)
        try agent.control.call(.start(container: "c"), timeout: HostedAgent.patience)
        let exit = try #require(try agent.wait(ProcessName(container: "c")))
        #expect(exit.status == .exited(code: 4))
        #expect(!exit.wasRequested)
        // What it says was written is what comes.
        let outcome = try streams.exchange([])
        #expect(outcome.outputBytes.count > 100_000)
        #expect(exit.outputByteCount == UInt64(outcome.outputBytes.count))
        #expect(exit.errorByteCount == 0)
        try agent.control.call(.delete(container: "c", force: false), timeout: HostedAgent.patience)
    }

    @Test("A kill ends a process blocked on unread output and marks the exit as requested")
    func aKillEndsWhoWritesToNobody() throws {
        let streams = try TestStreams(agent, takesInput: false, hasTerminal: false)
        let plan = agent.plan("c", ["busybox", "yes"])
        try agent.control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: HostedAgent.patience)
        try agent.control.call(.start(container: "c"), timeout: HostedAgent.patience)
        SystemTime.sleep(milliseconds: 200)
        let name = ProcessName(container: "c")
        try agent.control.call(.signal(name, number: 9, toAll: false), timeout: HostedAgent.patience)
        let exit = try #require(try agent.wait(name))
        #expect(exit.status == .signaled(signal: 9))
        #expect(exit.wasRequested)
        _ = streams.output.borrowed
    }

    @Test("A process gets SIGPIPE after the reader of its output leaves")
    func theReadersLeavingIsTheWritersBrokenPipe() throws {
        try agent.startLasting("c")
        do {
            let streams = try startExec("while echo y; do :; done 2>/dev/null; exit 7")
            _ = try Poll.wait(streams.output.borrowed, .readable, until: Deadline(after: HostedAgent.patience))
        }
        // echo of the shell itself: SIGPIPE ends it.
        #expect(try agent.wait(exec)?.status == .signaled(signal: 13))
    }

    @Test("A background process keeps the streams open after the exit is reported")
    func whoStaysInTheBackgroundKeepsTheStreams() throws {
        try agent.startLasting("c")
        let streams = try startExec("(sleep 0.5; echo late; echo lived >/tmp/alive) & echo started; exit 3")
        let exit = try #require(try agent.wait(exec))
        #expect(exit.status == .exited(code: 3))
        #expect(exit.outputByteCount == 8)
        let (text, hasEnded) = try read(streams.output.borrowed, until: Deadline(after: HostedAgent.patience))
        #expect(text == "started\nlate\n")
        #expect(hasEnded)
        #expect(try agent.exec("c", "f", agent.process(["cat", "/tmp/alive"])).output == "lived\n")
    }

    @Test("A terminal whose plan keeps newlines writes LF without CR")
    func aTerminalKeepsItsNewlinesWhereTold() throws {
        try agent.startLasting("c")
        var process = agent.process(["sh", "-c", "echo a; stty -a"])
        process.hasTerminal = true
        process.terminalKeepsNewlines = true
        let output = try agent.exec("c", "e", process).output
        #expect(output.hasPrefix("a\n"))
        #expect(output.contains("-onlcr"))
    }
}
