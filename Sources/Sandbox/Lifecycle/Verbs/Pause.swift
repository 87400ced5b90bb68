// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import RuntimeState

extension Runtime {
    /// Stops every process of a container until ``resume(_:)``; returns once they stand still.
    public func pause(_ id: String) throws(RuntimeError) {
        var container = try locked(id, for: .pause)
        try files(of: container.record).connect().ask(.pause(container: id))
        try wrapping(
            RuntimeError.state,
            container.update { record in
                record.statusBeforePause = record.status
                record.status = .paused
            })
    }

    /// Lets the processes of a paused container go on.
    public func resume(_ id: String) throws(RuntimeError) {
        var container = try locked(id, for: .resume)
        try files(of: container.record).connect().ask(.resume(container: id))
        try wrapping(
            RuntimeError.state,
            container.update { record in
                record.status = record.statusBeforePause ?? .running
                record.statusBeforePause = nil
            })
    }
}
