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
        var size = winsize()
        let result = unsafe withUnsafeMutablePointer(to: &size) { pointer in
            unsafe cl_syscall(Int(__NR_ioctl), Int(descriptor), Int(TIOCGWINSZ), pointer.argument, 0, 0, 0)
        }
        return result == 0 ? TerminalSize(rows: size.ws_row, columns: size.ws_col) : nil
    }
}
