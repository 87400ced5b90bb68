import CLinux
import Glibc

/// Pseudoterminals, pty(7).
public enum Pseudoterminal {
    /// A new terminal of the devpts instance that `ptmx` is opened from: `master` is the master's open file.
    ///
    /// - Returns: its other side, not controlling anybody yet. It is opened from the master itself, so that no
    ///   name in /dev/pts is trusted.
    public static func openPeer(of master: Int32) throws(Errno) -> FileDescriptor {
        var unlocked: Int32 = 0
        try unsafe withUnsafePointer(to: &unlocked) { (pointer) throws(Errno) in
            // TIOCSPTLCK
            _ = try unsafe syscall(__NR_ioctl, Int(master), 0x4004_5431, pointer.argument)
        }
        // TIOCGPTPEER
        return FileDescriptor(
            owning: Int32(
                try syscall(__NR_ioctl, Int(master), 0x5441, Int(O_RDWR | O_NOCTTY | O_CLOEXEC))))
    }

    /// TIOCSWINSZ, on either side: rows and columns in characters.
    public static func setSize(of terminal: Int32, rows: UInt16, columns: UInt16) throws(Errno) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try unsafe withUnsafePointer(to: &size) { (pointer) throws(Errno) in
            _ = try unsafe syscall(__NR_ioctl, Int(terminal), Int(TIOCSWINSZ), pointer.argument)
        }
    }

    /// TIOCGWINSZ: rows and columns in characters; nil for what is no terminal.
    public static func size(of terminal: Int32) -> (rows: UInt16, columns: UInt16)? {
        var size = winsize()
        let result = unsafe withUnsafeMutablePointer(to: &size) { pointer in
            unsafe cl_syscall(Int(__NR_ioctl), Int(terminal), Int(TIOCGWINSZ), pointer.argument, 0, 0, 0)
        }
        return result == 0 ? (size.ws_row, size.ws_col) : nil
    }

    /// TIOCSCTTY: makes `terminal` the controlling terminal of the session this process leads.
    public static func makeControlling(_ terminal: Int32) throws(Errno) {
        try syscall(__NR_ioctl, Int(terminal), Int(TIOCSCTTY), 0)
    }
}
