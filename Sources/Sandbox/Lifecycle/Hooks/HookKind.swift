// SPDX-License-Identifier: Apache-2.0
import OCISpec

/// The points of a container's life at which hooks run (runtime-spec config.md#posix-platform-hooks).
enum HookKind: String {
    case prestart, createRuntime, createContainer, startContainer, poststart, poststop

    func hooks(of spec: Spec) -> [Spec.Hook] {
        guard let hooks = spec.hooks else { return [] }
        return switch self {
        case .prestart: hooks.prestart
        case .createRuntime: hooks.createRuntime
        case .createContainer: hooks.createContainer
        case .startContainer: hooks.startContainer
        case .poststart: hooks.poststart
        case .poststop: hooks.poststop
        }
    }

    /// The status that its hooks read in the container's state.
    var status: State.Status {
        switch self {
        case .prestart, .createRuntime, .createContainer: .creating
        case .startContainer: .created
        case .poststart: .running
        case .poststop: .stopped
        }
    }
}
