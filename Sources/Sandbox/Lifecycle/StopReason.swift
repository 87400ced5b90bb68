import RuntimeState

extension Runtime {
    /// Why the sandbox that a container runs in has ended, in the words of its jail and of the guest's console: for
    /// who sees that a container was killed, and did not kill it. nil where the sandbox is there, or says nothing.
    public func stopReason(_ id: String) throws(RuntimeError) -> String? {
        let record = try record(containerID(id))
        let files = sandboxFiles(record)
        guard record.supervisor?.isAlive != true, let reason = jailReason(files) else { return nil }
        let console = SandboxFiles.tail(of: files.consoleLog)
        return "the sandbox ended: \(reason)"
            + (console.isEmpty ? "" : "; the guest's console ends: " + console.joined(separator: " | "))
    }
}
