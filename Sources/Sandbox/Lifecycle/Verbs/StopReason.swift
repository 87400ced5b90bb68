// SPDX-License-Identifier: Apache-2.0
import RuntimeState

extension Runtime {
    /// Why the sandbox that a container runs in has ended, in the words of its jail and of the guest's console: for
    /// a caller that sees a container killed which it did not kill. nil while the sandbox runs, or if neither says why.
    public func stopReason(_ id: String) throws(RuntimeError) -> String? {
        let record = try record(containerID(id))
        let files = files(of: record)
        guard record.supervisor?.isAlive != true, let reason = files.jailReason else { return nil }
        let console = MachineFiles.tail(of: files.consoleLog)
        return "the sandbox ended: \(reason)"
            + (console.isEmpty ? "" : "; the guest's console ends: " + console.joined(separator: " | "))
    }
}
