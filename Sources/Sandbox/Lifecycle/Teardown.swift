import Cgroup
import Glibc
import Linux
import RuntimeState

extension Runtime {
    /// How long processes that were killed may take to be gone.
    static let killTimeout = Duration.seconds(10)

    /// Ends the sandbox a container runs in: the jail's PID 1 goes, and the kernel ends what is under it.
    func endSandbox(of record: ContainerRecord) throws(RuntimeError) {
        for identity in [record.process, record.supervisor].compactMap({ $0 }) {
            try end(identity, of: record.id)
        }
    }

    /// Ends a container, and with it whoever runs in its machine.
    func endContainer(_ record: ContainerRecord) throws(RuntimeError) {
        if record.isMember { try endMember(record) } else { try endSandbox(of: record) }
    }

    func end(_ identity: ProcessIdentity, of id: String) throws(RuntimeError) {
        guard let descriptor = identity.open() else { return }
        do {
            _ = try identity.signal(SIGKILL)
        } catch {
            throw .signal(number: SIGKILL, error)
        }
        try wait(for: descriptor.rawValue, of: id, Self.killTimeout)
    }

    /// Waits until the process behind the pidfd has ended.
    func wait(for pidfd: Int32, of id: String, _ timeout: Duration) throws(RuntimeError) {
        let ended = try? Poll.wait(pidfd, .readable, until: Deadline(after: timeout))
        guard let ended, !ended.isEmpty else { throw .stillRunning(id: id) }
    }

    /// Takes away all that a container left on the host: its sandbox, or its part of another's, its cgroups, its
    /// directory.
    func remove(_ record: ContainerRecord, _ directory: consuming ContainerDirectory) throws(RuntimeError) {
        if record.isMember {
            try leave(record)
            try removeCgroups(record)
            return try remove(directory)
        }
        // The container's process went before its sandbox did, and the sandbox may still be about to.
        if let supervisor = record.supervisor, let descriptor = supervisor.open() {
            if (try? wait(for: descriptor.rawValue, of: record.id, .seconds(2))) == nil { try endSandbox(of: record) }
        }
        DiskFiles.awaitRelease(record.machine?.writableDisks ?? [])
        try removeCgroups(record)
        try remove(directory)
    }

    /// Takes away the container's directory.
    func remove(_ directory: consuming ContainerDirectory) throws(RuntimeError) {
        do { try directory.remove() } catch { throw .state(error) }
    }
}
