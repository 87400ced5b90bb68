// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Glibc
import Linux
import RuntimeState

extension Runtime {
    /// Waits for the fc-proxy `pid`, this process's child, handing on the signals that are sent here.
    ///
    /// - Returns: its exit status as a shell would report it.
    func foreground(_ pid: Int32) throws(RuntimeError) -> Int32 {
        let signals = try wrapping({ .launch(program: "fc-proxy", operation: "signalfd", $0) }, SignalDescriptor())
        let child = try wrapping(
            { .launch(program: "fc-proxy", operation: "pidfd_open", $0) }, Process.descriptor(of: pid))
        let terminal = TerminalState.save()
        while true {
            if let ended = try? Process.wait(for: pid, blocks: false) {
                // A proxy that was killed could not give the terminal back.
                terminal?.restore()
                return ended.status.shellCode
            }
            var entries = [
                pollfd(fd: child.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            // The array outlives the call, and tells its own length.
            _ = unsafe poll(&entries, nfds_t(entries.count), -1)
            while let received = signals.next() {
                // A key on the terminal reaches both processes: only what was sent here alone goes on.
                if received.isKernels || [SIGCHLD, SIGPIPE, SIGURG, SIGWINCH].contains(received.signal) { continue }
                try? Process.kill(pid, received.signal)
            }
        }
    }
}

extension Runtime {
    /// Waits until the cgroup of a container that has ended by itself is empty: its machine goes, and what it wrote
    /// reaches a slow reader. Ends at a signal that would end this process.
    func awaitRelays(of record: ContainerRecord) {
        guard let signals = try? SignalDescriptor() else { return }
        let cgroup = record.cgroup
        while let pid = (try? cgroup.processes())?.first(where: { $0 != getpid() }) {
            guard let process = try? Process.descriptor(of: pid) else { continue }
            var entries = [
                pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            // The array outlives the call, and tells its own length.
            _ = unsafe poll(&entries, nfds_t(entries.count), 1000)
            while let received = signals.next() {
                if [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(received.signal) { return }
            }
            // It may be a child of this process that has ended and not been waited for.
            if entries[0].revents != 0, (try? cgroup.processes())?.contains(pid) == true {
                _ = try? Process.wait(for: pid, blocks: false)
            }
        }
    }
}

/// A terminal's settings, kept to be given back.
private struct TerminalState {
    private var settings: termios

    /// Those of standard input; nil where it is no terminal.
    static func save() -> TerminalState? {
        var state = TerminalState(settings: termios())
        // Fills the structure, which is this function's.
        return unsafe tcgetattr(0, &state.settings) == 0 ? state : nil
    }

    func restore() {
        var settings = settings
        // Reads the structure, which is this function's.
        unsafe tcsetattr(0, TCSANOW, &settings)
    }
}
