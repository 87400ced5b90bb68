import AgentProtocol
import Glibc
import RuntimeState
public import SandboxPlan

extension Runtime {
    /// How long the agent has for SIGKILL, which every guest that works takes at once.
    static let killAnswerTimeout = Duration.seconds(4)

    /// Sends `signal` to the container's first process, or to every process of it, or to one that ``startExec(_:)``
    /// started.
    ///
    /// The guest delivers it. A guest that does not answer to SIGKILL loses its virtual machine.
    /// - Throws: `notRunning` of the state where the process has ended; `noSuchExec` where there is none of that name.
    public func kill(_ id: String, exec: String? = nil, signal: Int32, all: Bool = false) throws(RuntimeError) {
        let id = try containerID(id)
        let record = try record(id)
        // runc takes `kill --all` of a stopped container for done.
        if all, record.currentStatus == .stopped { return }
        try check(.kill, record)
        let timeout = signal == SIGKILL ? Self.killAnswerTimeout : Self.answerTimeout
        do throws(RuntimeError) {
            let connection = try connect(to: record, timeout: timeout)
            let name = ProcessName(container: record.id, exec: exec)
            try ask(connection, .signal(name, number: signal, toAll: all), timeout: timeout)
        } catch .agent(let error) {
            // The process may have ended meanwhile, and the machine with it.
            if record.currentStatus == .stopped { throw .state(.notRunning) }
            guard signal == SIGKILL else { throw .agent(error) }
            log(.warning, "the guest does not take SIGKILL (\(error)): ending its virtual machine")
            try endSandbox(of: record)
        } catch .refused(let message) {
            throw Self.ended(message, exec)
        }
    }

    /// Tells a process's terminal its size. One without a terminal takes no notice.
    public func resize(_ id: String, exec: String? = nil, to size: TerminalSize) throws(RuntimeError) {
        let record = try record(containerID(id))
        if record.currentStatus == .stopped { throw .state(.notRunning) }
        do throws(RuntimeError) {
            let name = ProcessName(container: record.id, exec: exec)
            try ask(try connect(to: record), .resize(name, size: size))
        } catch .refused(let message) {
            throw Self.ended(message, exec)
        }
    }

    /// The agent's refusal, told apart: the process has ended, or there never was one of that name.
    private static func ended(_ message: String, _ exec: String?) -> RuntimeError {
        switch message {
        case RuntimeStateError.notRunning.description: .state(.notRunning)
        case RuntimeStateError.doesNotExist.description: .state(.doesNotExist)
        case "process \(exec ?? "") does not exist": .noSuchExec(exec ?? "")
        default: .refused(message)
        }
    }
}
