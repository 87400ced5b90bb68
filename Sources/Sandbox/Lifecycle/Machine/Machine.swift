// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import Linux
import RuntimeState

/// A virtual machine in its jail, as one of those holds it that it lives for. It ends when the last lets go.
struct Machine: ~Copyable {
    /// How far its guest is.
    enum Guest: ~Copyable {
        /// It boots.
        case booting(Boot)
        /// Its agent answers.
        case running

        var isBooting: Bool {
            switch self {
            case .booting: true
            case .running: false
            }
        }
    }

    struct Boot: ~Copyable {
        /// The listening socket that the guest's agent connects to when it is ready.
        let ready: FileDescriptor
        /// How long that may take.
        let timeoutSeconds: Int64
    }

    /// The container that it was made for.
    let id: String
    let files: MachineFiles
    /// PID 1 of its jail: with it goes all that is in there.
    let supervisor: ProcessIdentity
    /// The machine lives for as long as a copy of this is open; nil where it lives for its sandbox alone.
    let lifeline: FileDescriptor?
    private let guest: Guest

    init(
        id: String, files: MachineFiles, supervisor: ProcessIdentity, lifeline: consuming FileDescriptor?,
        guest: consuming Guest
    ) {
        self.id = id
        self.files = files
        self.supervisor = supervisor
        self.lifeline = lifeline
        self.guest = guest
    }

    /// The tree that its guest is shown.
    ///
    /// - Throws: `sandboxGone` where the machine has ended.
    borrowing func fileServer() throws(RuntimeError) -> FileServer {
        try FileServer(files, supervisor: supervisor, of: id)
    }

    /// Shows the guest what is in `tree`, whether it has booted yet or not.
    borrowing func show(_ tree: borrowing SharedTree) throws(RuntimeError) {
        do throws(RuntimeError) {
            try fileServer().attach(tree)
        } catch {
            // The machine's own end, where that is why, says more.
            throw bootFailure() ?? error
        }
    }

    /// A connection to the guest's agent, once it is ready. A guest that has just booted is configured first.
    borrowing func agent(configuration: @autoclosure () -> GuestConfiguration) throws(RuntimeError) -> AgentConnection {
        switch guest {
        case .running: return try files.connect()
        case .booting(let boot):
            try waitForAgent(boot)
            let connection = try files.connect()
            try connection.ask(.configure(configuration()))
            return connection
        }
    }

    /// Waits for the agent's connection, the machine's end, or the end of our patience.
    private borrowing func waitForAgent(_ boot: borrowing Boot) throws(RuntimeError) {
        let deadline = Deadline(after: .seconds(boot.timeoutSeconds))
        guard let watched = supervisor.open() else { throw bootFailure("the sandbox ended") }
        while true {
            var entries = [
                pollfd(fd: boot.ready.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: watched.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.nanosecondsLeft / 1_000_000
            // The array outlives the call, and tells its own length.
            let count = unsafe poll(&entries, nfds_t(entries.count), Int32(clamping: left))
            if entries[0].revents != 0, (try? UnixSocket.accept(boot.ready.borrowed)) != nil { return }
            if entries[1].revents != 0 { throw bootFailure("the sandbox ended") }
            if count == 0 { throw bootFailure("the guest's agent was not ready after \(boot.timeoutSeconds) s") }
        }
    }

    /// How long the jail may take to end after one of its programs.
    private static let endTimeout = Duration.seconds(2)

    /// Why a machine that boots has ended; nil where it has not.
    private borrowing func bootFailure() -> RuntimeError? {
        guard guest.isBooting else { return nil }
        if let watched = supervisor.open() {
            let ended = try? Poll.wait(watched.borrowed, .readable, until: Deadline(after: Self.endTimeout))
            guard let ended, !ended.isEmpty else { return nil }
        }
        return bootFailure("the sandbox ended")
    }

    private borrowing func bootFailure(_ what: String) -> RuntimeError {
        .sandboxFailed(
            stage: "boot", reason: files.jailReason.map { "\(what): \($0)" } ?? what,
            console: MachineFiles.tail(of: files.consoleLog))
    }
}
