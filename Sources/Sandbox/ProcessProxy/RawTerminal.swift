import CLinux
import Glibc
import Linux
import SandboxPlan

/// A terminal of the host that stands before one in the guest. The guest's does the editing and the echo, so
/// this one passes bytes as they are.
struct RawTerminal: ~Copyable {
    private let descriptor: Int32
    private var saved: termios

    /// Makes the terminal behind `descriptor`, which stays the caller's, raw.
    init(_ descriptor: Int32) throws(Errno) {
        self.descriptor = descriptor
        saved = termios()
        guard unsafe tcgetattr(descriptor, &saved) == 0 else { throw Errno(rawValue: errno) }
        var raw = saved
        unsafe cfmakeraw(&raw)
        guard unsafe tcsetattr(descriptor, TCSANOW, &raw) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Gives the terminal back as it was found.
    mutating func restore() {
        unsafe tcsetattr(descriptor, TCSANOW, &saved)
    }

    /// Its size now; nil for what is no terminal.
    static func size(_ descriptor: Int32) -> TerminalSize? {
        Pseudoterminal.size(of: descriptor).map { TerminalSize(rows: $0.rows, columns: $0.columns) }
    }
}
