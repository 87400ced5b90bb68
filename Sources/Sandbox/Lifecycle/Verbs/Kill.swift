// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import RuntimeState
public import SandboxPlan

extension Runtime {
    /// How long a container may take to end of a SIGKILL that its guest says it has delivered: what it wrote is written
    /// out meanwhile.
    static let killEndTimeout = Duration.seconds(20)

    /// Sends `signal` to the container's first process, or to every process of it, or to one that ``startExec(_:)``
    /// started.
    ///
    /// The guest delivers it. Whether SIGKILL has ended the container is seen on the host: where it has not, or is not
    /// answered, the guest loses its virtual machine.
    /// - Throws: `notRunning` of the state where the process has ended; `noSuchExec` if no process has that name.
    public func kill(_ id: String, exec: String? = nil, signal: Int32, all: Bool = false) throws(RuntimeError) {
        let id = try containerID(id)
        let record = try record(id)
        // runc takes `kill --all` of a stopped container for done.
        if all, record.currentStatus == .stopped { return }
        try check(.kill, record)
        let timeout = signal == SIGKILL ? AgentConnection.killTimeout : AgentConnection.answerTimeout
        do throws(RuntimeError) {
            let name = ProcessName(container: record.id, exec: exec)
            try files(of: record).connect(timeout: timeout)
                .ask(.signal(name, number: signal, toAll: all), timeout: timeout)
        } catch .agent(let error) {
            // The process may have ended meanwhile, and the machine with it.
            if record.currentStatus == .stopped { throw .state(.notRunning) }
            guard signal == SIGKILL else { throw .agent(error) }
            log(.warning, "the guest does not take SIGKILL (\(error)): ending its virtual machine")
            return try record.endSandbox()
        } catch .refused(let message) {
            let failure = Self.ended(message, exec)
            // The process has ended, and what stands for it here still waits for a reader of its output.
            guard case .state(.notRunning) = failure, signal == SIGKILL, exec == nil, let process = record.process,
                process.isAlive
            else { throw failure }
            return try process.end(of: record.id)
        }
        if signal == SIGKILL, exec == nil { try awaitEnd(of: record) }
    }

    /// Ends the machine of a container that its guest says was killed, and that goes on.
    private func awaitEnd(of record: ContainerRecord) throws(RuntimeError) {
        guard let process = record.process?.open() else { return }
        if (try? process.awaitEnd(of: record.id, Self.killEndTimeout)) != nil { return }
        log(
            .warning,
            "container \(record.id) did not end within \(Self.killEndTimeout.components.seconds) s of SIGKILL, "
                + "whatever its guest says: ending its virtual machine")
        try record.endSandbox()
    }

    /// Tells a process's terminal its size. One without a terminal takes no notice.
    public func resize(_ id: String, exec: String? = nil, to size: TerminalSize) throws(RuntimeError) {
        let record = try record(containerID(id))
        if record.currentStatus == .stopped { throw .state(.notRunning) }
        do throws(RuntimeError) {
            let name = ProcessName(container: record.id, exec: exec)
            try files(of: record).connect().ask(.resize(name, size: size))
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
