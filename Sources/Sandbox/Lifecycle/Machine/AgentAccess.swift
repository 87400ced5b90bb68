// SPDX-License-Identifier: Apache-2.0
public import AgentClient
import AgentProtocol
import Linux
import SandboxPlan

extension AgentConnection {
    /// How long the agent may take to answer what it can answer at once.
    static let answerTimeout = Duration.seconds(30)
    /// How long it may take to make a container: its limits are on it from the first, a twentieth of a processor say.
    static let createTimeout = Duration.seconds(60)
    /// How long it may take to greet: where it does not, its machine hangs, and the caller is to know soon.
    static let greetingTimeout = Duration.seconds(20)

    /// Asks the agent; a refusal is thrown in the agent's own words, which are runc's.
    @discardableResult
    func ask(_ request: Request, timeout: Duration? = answerTimeout) throws(RuntimeError) -> Answer {
        do {
            return try call(request, timeout: timeout)
        } catch .failed(let failure) {
            throw .refused(failure.message)
        } catch {
            throw .agent(error)
        }
    }
}

extension MachineFiles {
    /// Connects to the agent of the machine's guest.
    func connect(timeout: Duration = AgentConnection.greetingTimeout) throws(RuntimeError) -> AgentConnection {
        try withGuestSocket(timeout: timeout) { (path, deadline) throws(AgentClientError) in
            try AgentConnection(socketPath: path, deadline: deadline)
        }
    }

    /// Connects the streams that a process of the guest is to have.
    func connect(_ streams: StreamSet) throws(RuntimeError) -> ProcessStreams {
        try withGuestSocket(timeout: AgentConnection.answerTimeout) { (path, deadline) throws(AgentClientError) in
            try ProcessStreams(streams, socketPath: path, deadline: deadline)
        }
    }

    /// Calls `body` with a path to the machine's vsock socket, short enough for connect(2).
    private func withGuestSocket<Result: ~Copyable>(
        timeout: Duration, _ body: (String, Deadline) throws(AgentClientError) -> Result
    ) throws(RuntimeError) -> Result {
        let directory = try wrapping(
            { .agent(.connect(path: vsockDirectory, $0)) }, SocketDirectory(path: vsockDirectory))
        return try wrapping(
            RuntimeError.agent, body(directory.path(of: Self.listenerName), Deadline(after: timeout)))
    }
}

extension Runtime {
    /// A connection to the agent of the sandbox that the container runs in: events there arrive on it,
    /// ``Answer/event(container:kind:)``.
    public func agentConnection(_ id: String) throws(RuntimeError) -> AgentConnection {
        try files(of: record(containerID(id))).connect()
    }
}
