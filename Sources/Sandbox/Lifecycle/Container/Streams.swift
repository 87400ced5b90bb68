// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Linux
import SandboxPlan

/// Which of its standard streams a process has; the others are /dev/null.
struct StreamSet {
    var input = true
    var output = true
    /// Not with a terminal: its output is one stream.
    var error = true
}

extension FileDescriptor {
    /// One that need not be there, which stays owned where it is.
    static func borrowed(of descriptor: borrowing FileDescriptor?) -> BorrowedDescriptor? {
        switch descriptor {
        case .some(let descriptor): descriptor.borrowed
        case .none: nil
        }
    }
}

/// The connections of one process's standard streams, and the names the agent knows them by.
struct ProcessStreams: ~Copyable {
    let tokens: StreamTokens
    let input: FileDescriptor?
    let output: FileDescriptor?
    let error: FileDescriptor?

    init(_ set: StreamSet, socketPath: String, deadline: Deadline) throws(AgentClientError) {
        func open(_ token: StreamToken?) throws(AgentClientError) -> FileDescriptor? {
            guard let token else { return nil }
            return try GuestStream.open(token, socketPath: socketPath, deadline: deadline)
        }
        let tokens = StreamTokens(
            input: set.input ? .random() : nil, output: set.output ? .random() : nil,
            error: set.error ? .random() : nil)
        let input = try open(tokens.input)
        let output = try open(tokens.output)
        error = try open(tokens.error)
        self.input = input
        self.output = output
        self.tokens = tokens
    }
}
