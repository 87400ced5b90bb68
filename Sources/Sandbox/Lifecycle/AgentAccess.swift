public import AgentClient
import AgentProtocol
import Linux
import RuntimeState

extension Runtime {
    /// How long the agent may take to answer what it can answer at once.
    static let answerTimeout = Duration.seconds(30)
    /// How long it may take to make a container: its limits are on it from the first, a twentieth of a processor say.
    static let createTimeout = Duration.seconds(60)
    /// How long it may take to greet: where it does not, its machine hangs, and who asks is to know soon.
    static let greetingTimeout = Duration.seconds(20)

    /// Connects to the agent of the sandbox that the container of `record` runs in.
    func connect(
        to record: ContainerRecord, timeout: Duration = greetingTimeout
    ) throws(RuntimeError) -> AgentConnection {
        try withGuestSocket(record, timeout: timeout) { (path, deadline) throws(AgentClientError) in
            try AgentConnection(socketPath: path, deadline: deadline)
        }
    }

    /// Calls `body` with a path to the sandbox's vsock socket, short enough for connect(2).
    func withGuestSocket<Result: ~Copyable>(
        _ record: ContainerRecord, timeout: Duration = answerTimeout,
        _ body: (String, Deadline) throws(AgentClientError) -> Result
    ) throws(RuntimeError) -> Result {
        let files = SandboxFiles(directory: "\(options.root)/\(record.sandboxID)")
        do {
            let directory = try SocketDirectory(path: files.vsockDirectory)
            return try body(
                directory.path(of: SandboxFiles.listenerName), Deadline(after: timeout))
        } catch let error as AgentClientError {
            throw .agent(error)
        } catch let error as Errno {
            throw .agent(.connect(path: files.vsockDirectory, error))
        } catch {
            throw .agent(.closed(operation: "connect"))
        }
    }

    /// A connection to the agent of the sandbox that the container runs in: it is told of what happens there,
    /// ``Answer/event(container:kind:)``.
    public func agentConnection(_ id: String) throws(RuntimeError) -> AgentConnection {
        try connect(to: record(containerID(id)))
    }

    /// Asks the agent; what it refuses is told in its own words, which are runc's.
    @discardableResult
    func ask(
        _ connection: AgentConnection, _ request: Request, timeout: Duration? = answerTimeout
    ) throws(RuntimeError) -> Answer {
        do {
            return try connection.call(request, timeout: timeout)
        } catch .failed(let failure) {
            throw .refused(failure.message)
        } catch {
            throw .agent(error)
        }
    }
}
