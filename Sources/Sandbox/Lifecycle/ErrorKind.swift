// SPDX-License-Identifier: Apache-2.0
import AgentClient
import RuntimeState

extension RuntimeError {
    /// What a caller of another program's makes of an error, beside its text.
    public enum Kind: Hashable, Sendable {
        /// There is no such container or process, or it has ended.
        case notFound
        case alreadyExists
        /// What was asked cannot be: a document, an id, a value.
        case invalidArgument
        /// Not in the state that the container or its sandbox is in.
        case failedPrecondition
        case timedOut
        /// The guest, or its agent, has gone.
        case unavailable
        case other
    }

    /// What kind of failure it is, for callers that tell kinds apart.
    public var kind: Kind {
        switch self {
        case .state(let error): error.kind
        case .noSuchExec, .notRunning, .sandbox(_, problem: .isMissing): .notFound
        case .bundle, .configurationMissing, .spec, .unsupported, .processMissing, .rootMissing, .root, .rootIsLink,
            .rootOutsideBundle, .planning, .consoleSocketMissing, .consoleSocketUnwanted, .preservedDescriptors,
            .resources, .unsupportedResources, .diskInPod, .rootDisk, .machineTooSmall, .intervalNotPositive,
            .networkNotCarried, .hostNetwork, .hostNetworkNamed, .networkTooLarge, .namespace, .overlay:
            .invalidArgument
        case .sandbox, .diskInUse: .failedPrecondition
        case .agent(.timedOut), .stillRunning: .timedOut
        case .agent, .sandboxGone: .unavailable
        default: .other
        }
    }
}

extension RuntimeStateError {
    fileprivate var kind: RuntimeError.Kind {
        switch self {
        case .doesNotExist, .notRunning: .notFound
        case .exists: .alreadyExists
        case .emptyID, .invalidID, .idTooLong: .invalidArgument
        case .cannotStart, .cannotExec, .cannotDelete, .notPaused, .notInState: .failedPrecondition
        case .busy: .timedOut
        case .corrupt, .unknownFormat, .files, .mounted: .other
        }
    }
}
