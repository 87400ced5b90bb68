// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import Netlink

/// Why the agent does not do what it was asked. The wording is runc's where runc has one.
enum AgentError: Error {
    case versionMismatch(UInt32)
    case greetingMissing
    case invalidID(String)
    case noSuchContainer
    case noSuchProcess(String)
    case containerExists
    case processExists(String)
    case noSuchStream
    case streamsWithTerminal
    case alreadyRunning
    case hasStopped
    case notCreatedYet
    case notRunning
    case notPaused
    case execInStopped
    case execInPaused
    case notStopped(id: String, state: String)
    case missingMountNamespace
    case invalidResource(String)
    case resource(file: String, value: String, Errno)
    case tooMany(String)
    case system(operation: String, Errno)
    case launch(LaunchFailure)
    case network(String, NetlinkError)

    /// The answer to the host.
    var failure: Failure {
        switch self {
        case .system(let operation, let errno):
            Failure(errno: errno.rawValue, stage: operation, message: "\(operation): \(errno)")
        case .resource(let file, let value, let errno):
            Failure(
                errno: errno.rawValue, stage: "resources", message: "failed to write \"\(value)\" to \(file): \(errno)")
        case .network(let what, let error):
            Failure(errno: error.errno?.rawValue ?? 0, stage: "network", message: "network: \(what): \(error)")
        case .launch(let failure):
            Failure(
                errno: failure.errno, stage: failure.stage.name,
                message: "unable to start container process: \(failure.message)")
        default:
            Failure(stage: "request", message: refusal)
        }
    }

    private var refusal: String {
        switch self {
        case .versionMismatch(let version): "protocol \(version) is not spoken here"
        case .greetingMissing: "the first request must be hello"
        case .invalidID(let id): "invalid container ID format: \(id)"
        case .noSuchContainer: "container does not exist"
        case .noSuchProcess(let id): "process \(id) does not exist"
        case .containerExists: "container with given ID already exists"
        case .processExists(let id): "process \(id) already exists"
        case .noSuchStream: "no stream with this token is open"
        case .streamsWithTerminal: "a terminal has no stream of errors"
        case .alreadyRunning: "cannot start an already running container"
        case .hasStopped: "cannot start a container that has stopped"
        case .notCreatedYet: "container is being created"
        case .notRunning: "container not running"
        case .notPaused: "container not paused"
        case .execInStopped: "cannot exec in a stopped container"
        case .execInPaused: "cannot exec in a paused container (use --ignore-paused to override)"
        case .notStopped(let id, let state): "cannot delete container \(id) that is not stopped: \(state)"
        case .missingMountNamespace: "a container must have a mount namespace of its own"
        case .invalidResource(let name): "\(name) is no file of a cgroup's resources"
        case .tooMany(let what): "too many \(what)"
        case .system, .resource, .launch, .network: ""
        }
    }
}

/// Runs `body`, naming what it does in the error.
func doing<Result: ~Copyable>(
    _ operation: String, _ body: () throws(Errno) -> Result
) throws(AgentError) -> Result {
    do {
        return try body()
    } catch {
        throw .system(operation: operation, error)
    }
}

/// The same of one expression.
func doing<Result: ~Copyable>(
    _ operation: String, _ body: @autoclosure () throws(Errno) -> Result
) throws(AgentError) -> Result {
    do {
        return try body()
    } catch {
        throw .system(operation: operation, error)
    }
}
