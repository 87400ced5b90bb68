// SPDX-License-Identifier: Apache-2.0
public import AgentProtocol
import Cgroup
import Linux
import RuntimeState

extension Runtime {
    /// The container's processes, by the guest's numbers; none of one that has stopped, as runc has it.
    public func processes(_ id: String) throws(RuntimeError) -> [ProcessEntry] {
        let record = try record(containerID(id))
        if record.currentStatus == .stopped { return [] }
        let answer = try files(of: record).connect().ask(.processes(container: record.id))
        guard case .processes(let entries) = answer else {
            throw .agent(.unexpectedAnswer(operation: "processes"))
        }
        return entries
    }

    /// The processes of the host that stand for the container's, the first one's before the others: what clients hold
    /// against the host's own list. None of one that has stopped.
    public func standingProcesses(_ id: String) throws(RuntimeError) -> [Int32] {
        let record = try record(containerID(id))
        guard record.currentStatus != .stopped, let process = record.process else { return [] }
        guard let holder = record.standIn, let namespace = Self.pidNamespace(of: holder.pid) else {
            return [process.pid]
        }
        let pids = try wrapping(RuntimeError.cgroup, record.cgroup.processes())
        return [process.pid]
            + pids.filter { pid in
                pid != holder.pid && pid != process.pid && Self.pidNamespace(of: pid) == namespace
            }
    }

    /// As the kernel names it.
    private static func pidNamespace(of pid: Int32) -> String? {
        try? Directory.link("/proc/\(pid)/ns/pid", at: .currentDirectory)
    }
}
