import AgentProtocol
import OCISpec
import RuntimeState

extension Runtime {
    /// Runs the program of a created container.
    public func start(_ id: String) throws(RuntimeError) {
        let id = try containerID(id)
        let directory = try locked(id)
        let record = try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try directory.record() }
        try check(.start, record)
        try start(record, directory)
    }

    /// The same for a container whose directory is locked and whose state allows it.
    func start(_ record: ContainerRecord, _ directory: borrowing ContainerDirectory) throws(RuntimeError) {
        let connection = try connect(to: record)
        try ask(connection, .start(container: record.id))
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
            try directory.update { $0.status = .running }
        }
    }

    func containerID(_ id: String) throws(RuntimeError) -> ContainerID {
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try ContainerID(id) }
    }

    func locked(_ id: ContainerID) throws(RuntimeError) -> ContainerDirectory {
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try states.lock(id) }
    }

    func record(_ id: ContainerID) throws(RuntimeError) -> ContainerRecord {
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in try states.record(of: id) }
    }

    func check(_ verb: Verb, _ record: ContainerRecord) throws(RuntimeError) {
        let id = try containerID(record.id)
        try wrapping(RuntimeError.state) { () throws(RuntimeStateError) in
            try Lifecycle.check(verb, of: id, in: record.currentStatus)
        }
    }
}
