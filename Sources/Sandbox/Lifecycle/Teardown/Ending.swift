// SPDX-License-Identifier: Apache-2.0
import AgentClient
import Glibc
import Linux
import RuntimeState

extension AgentConnection {
    /// How long the agent has for what ends a process or a container, which every guest that works does at once.
    static let killTimeout = Duration.seconds(4)
}

extension ProcessIdentity {
    /// How long a process that was killed may take to be gone.
    private static let killTimeout = Duration.seconds(10)

    /// Kills the process, which is of the container `id`, and waits for its end.
    ///
    /// - Throws: `stillRunning` where it does not end.
    func end(of id: String) throws(RuntimeError) {
        guard let descriptor = open() else { return }
        _ = try wrapping({ .signal(number: SIGKILL, $0) }, signal(SIGKILL))
        try descriptor.awaitEnd(of: id, Self.killTimeout)
    }
}

extension FileDescriptor {
    /// Waits until the process behind this pidfd, which is of the container `id`, has ended.
    ///
    /// - Throws: `stillRunning` where it has not by then.
    borrowing func awaitEnd(of id: String, _ timeout: Duration) throws(RuntimeError) {
        let ended = try? Poll.wait(borrowed, .readable, until: Deadline(after: timeout))
        guard let ended, !ended.isEmpty else { throw .stillRunning(id: id) }
    }
}

extension ContainerRecord {
    /// Ends the sandbox that the container runs in: the jail's PID 1 goes, and the kernel ends what is under it.
    func endSandbox() throws(RuntimeError) {
        if let process { try process.end(of: id) }
        endStandIn()
        if let supervisor { try supervisor.end(of: id) }
    }

    /// Ends the first process of the namespaces that stand for the container's, and with it all that is in there.
    func endStandIn() {
        // Where it is this process's own child, the one that stood for the container's has not been waited for.
        if let process { _ = try? Process.wait(for: process.pid, blocks: false) }
        guard let holder = standIn, let descriptor = holder.open() else { return }
        _ = try? holder.signal(SIGKILL)
        Self.awaitRelease(holder, descriptor.borrowed, .seconds(1))
        _ = consume descriptor
    }

    /// Waits until the first process of a pid namespace has let go of all it had, by the pidfd `descriptor`. Its end is
    /// not complete while a process of the namespace has not been waited for by its parent, which may never happen.
    private static func awaitRelease(
        _ holder: ProcessIdentity, _ descriptor: BorrowedDescriptor, _ patience: Duration
    ) {
        let deadline = Deadline(after: patience)
        var pause = Duration.milliseconds(1)
        while true {
            // It cannot be looked up once the process has left its namespaces.
            let mounts = "/proc/\(holder.pid)/ns/mnt"
            if (try? Directory.link(mounts, at: .currentDirectory)) == nil { return }
            if deadline.hasPassed { return }
            if let ended = try? Poll.wait(descriptor, .readable, until: Deadline(after: pause)), !ended.isEmpty {
                return
            }
            pause = min(pause * 2, .milliseconds(50))
        }
    }
}
