import AgentProtocol
import RuntimeState

extension Runtime {
    /// Stops every process of a container until ``resume(_:)``; returns once they stand still.
    public func pause(_ id: String) throws(RuntimeError) {
        let directory = try locked(containerID(id))
        let record = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.record() }
        try check(.pause, record)
        try ask(try connect(to: record), .pause(container: record.id))
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
            try directory.update { record in
                record.statusBeforePause = record.status
                record.status = .paused
            }
        }
    }

    /// Lets the processes of a paused container go on.
    public func resume(_ id: String) throws(RuntimeError) {
        let directory = try locked(containerID(id))
        let record = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.record() }
        try check(.resume, record)
        try ask(try connect(to: record), .resume(container: record.id))
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
            try directory.update { record in
                record.status = record.statusBeforePause ?? .running
                record.statusBeforePause = nil
            }
        }
    }
}
