import AgentClient
import AgentProtocol
import Linux
import SandboxPlan

/// The connections of one process's standard streams, and the names the agent knows them by.
struct ProcessStreams: ~Copyable {
    let tokens: StreamTokens
    let input: FileDescriptor
    let output: FileDescriptor
    /// None with a terminal: its output is one stream.
    let error: FileDescriptor?

    init(hasTerminal: Bool, socketPath: String, deadline: Deadline) throws(AgentClientError) {
        let (first, second, third) = (StreamToken.random(), StreamToken.random(), StreamToken.random())
        let input = try GuestStream.open(first, socketPath: socketPath, deadline: deadline)
        let output = try GuestStream.open(second, socketPath: socketPath, deadline: deadline)
        if hasTerminal {
            error = nil
        } else {
            error = try GuestStream.open(third, socketPath: socketPath, deadline: deadline)
        }
        self.input = input
        self.output = output
        tokens = StreamTokens(input: first, output: second, error: hasTerminal ? nil : third)
    }

    var errorNumber: Int32? {
        switch error {
        case .some(let error): error.rawValue
        case .none: nil
        }
    }
}
