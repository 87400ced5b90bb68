// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec

/// What can be wrong with the state of a container. The texts are runc's where runc has one: its callers
/// look for them.
public enum RuntimeStateError: Error, Equatable, Sendable {
    case emptyID
    case invalidID
    case idTooLong(byteCount: Int)
    case exists
    case doesNotExist
    /// Another process held the container's lock all that time.
    case busy(id: String, milliseconds: Int64)
    case corrupt(path: String, reason: String)
    /// state.json was written by a version that keeps it otherwise.
    case unknownFormat(path: String, format: Int)
    case files(FileOperation, path: String, Errno)
    /// Something is still mounted there; nothing was removed.
    case mounted(path: String)
    case cannotStart(State.Status)
    case cannotExec(State.Status)
    case cannotDelete(id: String, State.Status)
    case notRunning
    case notPaused
    case notInState(verb: Verb, State.Status)

    /// What was tried with a file of the state; the raw value is the word of the message.
    public enum FileOperation: String, Sendable {
        case makeDirectory = "mkdir"
        case open, read, write, rename, remove, list, lock
    }
}

extension RuntimeStateError: CustomStringConvertible {
    /// The problem as the user reads it.
    public var description: String {
        switch self {
        case .emptyID: "container id cannot be empty"
        case .invalidID: "invalid container ID format"
        case .idTooLong(let count):
            "invalid container ID format: \(count) bytes, more than \(ContainerID.byteLimit)"
        case .exists: "container with given ID already exists"
        case .doesNotExist: "container does not exist"
        case .busy(let id, let milliseconds):
            "container \(id) is busy: another command has held its lock for \(milliseconds) ms"
        case .corrupt(let path, let reason): "the container's state is damaged: \(path): \(reason)"
        case .unknownFormat(let path, let format): "\(path) has format \(format), which this version does not know"
        case .files(let operation, let path, let errno): "\(operation.rawValue) \(path): \(errno)"
        case .mounted(let path): "something is still mounted at or below \(path)"
        case .cannotStart(.running): "cannot start an already running container"
        case .cannotStart(.stopped): "cannot start a container that has stopped"
        case .cannotStart(let status): "cannot start a container in the \(status.rawValue) state"
        case .cannotExec(.stopped): "cannot exec in a stopped container"
        case .cannotExec(.paused): "cannot exec in a paused container (use --ignore-paused to override)"
        case .cannotExec(let status): "cannot exec in a container in the \(status.rawValue) state"
        case .cannotDelete(let id, let status):
            "cannot delete container \(id) that is not stopped: \(status.rawValue)"
        case .notRunning: "container not running"
        case .notPaused: "container not paused"
        case .notInState(let verb, let status): "cannot \(verb.rawValue) a container in the \(status.rawValue) state"
        }
    }
}
