// SPDX-License-Identifier: Apache-2.0
public import OCISpec
public import RuntimeState

extension Runtime {
    /// The container's state now, without waiting for its lock.
    public func state(_ id: String) throws(RuntimeError) -> State {
        try record(containerID(id)).state
    }

    /// Every container of this root, the damaged ones by name only.
    public func list() throws(RuntimeError) -> [StateRoot.Summary] {
        try wrapping(RuntimeError.state, states.summaries())
    }
}
