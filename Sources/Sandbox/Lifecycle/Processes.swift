public import AgentProtocol
import RuntimeState

extension Runtime {
    /// The container's processes, by the guest's numbers; none of one that has stopped, as runc has it.
    public func processes(_ id: String) throws(RuntimeError) -> [ProcessEntry] {
        let record = try record(containerID(id))
        if record.currentStatus == .stopped { return [] }
        let connection = try connect(to: record)
        guard case .processes(let entries) = try ask(connection, .processes(container: record.id)) else {
            throw .agent(.unexpectedAnswer(operation: "processes"))
        }
        return entries
    }
}
