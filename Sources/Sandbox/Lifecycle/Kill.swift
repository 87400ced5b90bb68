import AgentProtocol
import Glibc
import RuntimeState

extension Runtime {
    /// Sends `signal` to the container's first process, or to every process of it.
    ///
    /// The guest delivers it. A guest that does not answer to SIGKILL loses its virtual machine.
    public func kill(_ id: String, signal: Int32, all: Bool) throws(RuntimeError) {
        let id = try containerID(id)
        let record = try record(id)
        // runc takes `kill --all` of a stopped container for done.
        if all, record.currentStatus == .stopped { return }
        try check(.kill, record)
        do throws(RuntimeError) {
            let connection = try connect(to: record)
            try ask(connection, .signal(ProcessName(container: record.id), number: signal, toAll: all))
        } catch .agent(let error) {
            // The process may have ended meanwhile, and the machine with it.
            if record.currentStatus == .stopped { throw .state(.notRunning) }
            guard signal == SIGKILL else { throw .agent(error) }
            log(.warning, "the guest does not take SIGKILL (\(error)): ending its virtual machine")
            try endSandbox(of: record)
        }
    }
}
