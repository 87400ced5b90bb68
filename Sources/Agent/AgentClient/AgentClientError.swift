// SPDX-License-Identifier: Apache-2.0
public import AgentProtocol
public import Linux
public import Protobuf

/// What can go wrong between a host process and the agent.
public enum AgentClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The socket the guest's vsock is reached by cannot be connected to.
    case connect(path: String, Errno)
    /// No process of the guest listens on `port`, or the machine is not answering.
    case refused(port: UInt32, reply: String)
    case transport(operation: String, Errno)
    case timedOut(operation: String)
    /// The agent, or the machine it runs in, has gone.
    case closed(operation: String)
    case malformed(MessageError)
    case version(ours: UInt32, agents: UInt32)
    /// The agent sends what answers no request, and goes on to.
    case flooded(operation: String)
    /// The agent answered with something else than `operation` expects.
    case unexpectedAnswer(operation: String)
    /// The agent could not do what it was asked.
    case failed(Failure)

    /// The error in words, for people and logs.
    public var description: String {
        switch self {
        case .connect(let path, let errno): "connect to the guest agent at \(path): \(errno)"
        case .refused(let port, let reply): "the guest refuses port \(port): \(reply.isEmpty ? "closed" : reply)"
        case .transport(let operation, let errno): "\(operation): guest agent: \(errno)"
        case .timedOut(let operation): "\(operation): the guest agent did not answer in time"
        case .closed(let operation): "\(operation): the guest agent has gone"
        case .malformed(let error): "guest agent: \(error)"
        case .version(let ours, let agents): "the guest agent speaks protocol \(agents), not \(ours)"
        case .flooded(let operation): "\(operation): the guest agent floods its connection"
        case .unexpectedAnswer(let operation): "\(operation): unexpected answer of the guest agent"
        case .failed(let failure): failure.message
        }
    }
}
