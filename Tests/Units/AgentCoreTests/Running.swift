// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import Linux
import SandboxPlan

/// What came of a process.
struct Outcome {
    var output = ""
    var outputBytes: [UInt8] = []
    var error = ""
    var exit: ProcessExit?

    var code: UInt8? {
        if case .exited(let code)? = exit?.status { code } else { nil }
    }
}

/// The streams a test gives a process.
final class TestStreams {
    let tokens: StreamTokens
    let output: FileDescriptor
    /// Owned.
    private let input: BorrowedDescriptor?
    private let errors: BorrowedDescriptor?

    init(_ agent: HostedAgent, takesInput: Bool, hasTerminal: Bool) throws {
        tokens = StreamTokens(
            input: takesInput ? .random() : nil, output: .random(), error: hasTerminal ? nil : .random())
        input = try Self.open(tokens.input, agent)
        output = try UnixSocket.connect(to: agent.directory + "/streams")
        try GuestStream.greet(tokens.output!, on: output.borrowed, deadline: Deadline(after: .seconds(10)))
        errors = try Self.open(tokens.error, agent)
    }

    deinit {
        for stream in [input, errors].compactMap(\.self) { _ = FileDescriptor(owning: stream) }
    }

    private static func open(_ token: StreamToken?, _ agent: HostedAgent) throws -> BorrowedDescriptor? {
        guard let token else { return nil }
        let socket = try UnixSocket.connect(to: agent.directory + "/streams")
        try GuestStream.greet(token, on: socket.borrowed, deadline: Deadline(after: .seconds(10)))
        return socket.release()
    }

    /// Feeds `bytes` and reads to the end of both outputs.
    func exchange(_ bytes: [UInt8]) throws -> Outcome {
        var outcome = Outcome()
        var error: [UInt8] = []
        var sent = 0
        var open = Set([output.borrowed, errors].compactMap(\.self))
        var feeds = input != nil
        while !open.isEmpty {
            if feeds, let input, sent < bytes.count {
                do { sent += try Socket.send(bytes, from: sent, on: input) } catch { feeds = false }
            }
            if feeds, let input, sent == bytes.count {
                try? UnixSocket.shutdownWriting(input)
                feeds = false
            }
            var moved = false
            for stream in open {
                guard let chunk = try Socket.receive(upTo: 65536, from: stream) else { continue }
                moved = true
                if chunk.isEmpty { open.remove(stream) }
                if stream == errors { error += chunk } else { outcome.outputBytes += chunk }
            }
            if !moved, let stream = open.first {
                _ = try Poll.wait(stream, .readable, until: Deadline(after: .milliseconds(5)))
            }
        }
        outcome.output = String(decoding: outcome.outputBytes, as: UTF8.self)
        outcome.error = String(decoding: error, as: UTF8.self)
        return outcome
    }
}

extension HostedAgent {
    static let patience = Duration.seconds(30)

    /// Create, Start, the streams, Wait, Delete.
    func run(_ plan: ContainerPlan, input: [UInt8]? = nil) throws -> Outcome {
        let streams = try TestStreams(self, takesInput: input != nil, hasTerminal: plan.process.hasTerminal)
        try control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: Self.patience)
        try control.call(.start(container: plan.id), timeout: Self.patience)
        var outcome = try streams.exchange(input ?? [])
        outcome.exit = try wait(ProcessName(container: plan.id))
        try control.call(.delete(container: plan.id, force: false), timeout: Self.patience)
        return outcome
    }

    /// Exec, the streams, Wait.
    func exec(
        _ container: String, _ id: String, _ process: ProcessPlan, input: [UInt8]? = nil
    ) throws -> Outcome {
        let streams = try TestStreams(self, takesInput: input != nil, hasTerminal: process.hasTerminal)
        let name = ProcessName(container: container, exec: id)
        try control.call(
            .exec(name, process: process, streams: streams.tokens, isOwned: true), timeout: Self.patience)
        var outcome = try streams.exchange(input ?? [])
        outcome.exit = try wait(name)
        return outcome
    }

    func wait(_ name: ProcessName) throws -> ProcessExit? {
        guard case .exited(let exit) = try control.call(.wait(name), timeout: Self.patience) else { return nil }
        return exit
    }

    /// A container that runs until it is killed, and by now ends with code 5 on SIGTERM.
    func startLasting(_ id: String, _ change: (inout ContainerPlan) -> Void = { _ in }) throws {
        var plan = plan(id, "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done")
        change(&plan)
        let streams = try TestStreams(self, takesInput: false, hasTerminal: false)
        try control.call(.create(plan, streams: streams.tokens, isOwned: true), timeout: Self.patience)
        try control.call(.start(container: id), timeout: Self.patience)
        // Until the trap is set, PID 1 of a namespace does not hear the signal.
        _ = try Poll.wait(streams.output.borrowed, .readable, until: Deadline(after: Self.patience))
    }

    /// What the agent says when it refuses; nil where it does not.
    func refusal(_ request: Request) -> String? {
        do throws(AgentClientError) {
            try control.call(request, timeout: Self.patience)
            return nil
        } catch .failed(let failure) {
            return failure.message
        } catch {
            return "\(error)"
        }
    }

    func refusal(_ plan: ContainerPlan) -> String? {
        refusal(.create(plan, streams: StreamTokens(), isOwned: true))
    }
}
