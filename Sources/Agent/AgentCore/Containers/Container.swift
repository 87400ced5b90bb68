// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import SandboxPlan

/// A container, from Create to Delete.
final class Container {
    enum State: String {
        case creating, created, running, paused, stopped
    }

    let id: String
    let namespaces: [NamespacePlan]
    let cgroup: GuestCgroup
    let first: GuestProcess
    /// Of the first process: its namespaces are the container's.
    let pidfd: FileDescriptor
    var execs: [String: GuestProcess] = [:]
    var isPaused = false
    /// Requests answered once it stands still.
    var pauseReplies: [Reply] = []
    /// Requests answered once it is gone.
    var deleteReplies: [Reply] = []
    var watchedFiles: [WatchedFile] = []
    var pressure: PressureTrigger?

    init(
        id: String, namespaces: [NamespacePlan], cgroup: GuestCgroup, first: GuestProcess,
        pidfd: consuming FileDescriptor
    ) {
        self.id = id
        self.namespaces = namespaces
        self.cgroup = cgroup
        self.first = first
        self.pidfd = pidfd
    }

    var state: State {
        switch first.stage {
        case .launching?: .creating
        case .created?, .starting?: isPaused ? .paused : .created
        case .running?: isPaused ? .paused : .running
        case nil: .stopped
        }
    }

    var processes: [GuestProcess] { [first] + execs.values }

    /// A namespace that the agent shares with it is not the container's.
    func has(own kind: NamespaceKind) -> Bool { namespaces.contains { $0.kind == kind } }

    /// Kills everything in it, and thaws what is frozen first: the dying must run.
    func kill() {
        try? cgroup.kill()
        // It may not be in its cgroup yet.
        first.kill()
        if isPaused {
            try? cgroup.freeze(false)
            isPaused = false
        }
    }

    /// Sends `number` to every process in it.
    func signalAll(_ number: Int32) throws(AgentError) {
        if number == SIGKILL { return try cgroup.kill() }
        // Frozen, so that nothing forks out of the list.
        if !isPaused { try cgroup.freeze(true) }
        for pid in cgroup.processes() { try? Process.kill(pid, number) }
        if !isPaused { try cgroup.freeze(false) }
    }
}

extension NamespaceKind {
    var flag: Process.Namespaces {
        switch self {
        case .mount: .mount
        case .pid: .pid
        case .ipc: .ipc
        case .uts: .uts
        case .cgroup: .cgroup
        case .network: .network
        }
    }
}
