import Glibc
import Linux

extension Runtime {
    /// Waits for the fc-proxy `pid`, this process's child, handing on the signals that are sent here.
    ///
    /// - Returns: its exit status as a shell would report it.
    func foreground(_ pid: Int32) throws(RuntimeError) -> Int32 {
        let signals = try wrapping({ .launch(program: "fc-proxy", operation: "signalfd", $0) }) { () throws(Errno) in
            try SignalDescriptor()
        }
        let child = try wrapping({ .launch(program: "fc-proxy", operation: "pidfd_open", $0) }) { () throws(Errno) in
            try Process.descriptor(of: pid)
        }
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
            _ = unsafe poll(&entries, nfds_t(entries.count), -1)
            while let received = signals.next() {
                // A key on the terminal reaches both processes: only what was sent here alone goes on.
                if received.isKernels || [SIGCHLD, SIGPIPE, SIGURG, SIGWINCH].contains(received.signal) { continue }
                try? Process.kill(pid, received.signal)
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
        return unsafe tcgetattr(0, &state.settings) == 0 ? state : nil
    }

    func restore() {
        var settings = settings
        unsafe tcsetattr(0, TCSANOW, &settings)
    }
}
