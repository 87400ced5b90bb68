// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Pseudoterminals, pty(7).
public enum Pseudoterminal {
    /// A new terminal of the devpts instance that `ptmx` is opened from: `master` is the master's open file.
    ///
    /// - Returns: its other side, which controls no session yet. It is opened from the master itself, so that no
    ///   name in /dev/pts is trusted.
    public static func openPeer(of master: BorrowedDescriptor) throws(Errno) -> FileDescriptor {
        var unlocked: Int32 = 0
        try unsafe withUnsafePointer(to: &unlocked) { (pointer) throws(Errno) in
            // TIOCSPTLCK
            _ = try unsafe syscall(__NR_ioctl, master.argument, 0x4004_5431, pointer.argument)
        }
        // TIOCGPTPEER
        return FileDescriptor(
            owning: Int32(
                try syscall(__NR_ioctl, master.argument, 0x5441, Int(O_RDWR | O_NOCTTY | O_CLOEXEC))))
    }

    /// TIOCSWINSZ, on either side: rows and columns in characters.
    public static func setSize(of terminal: BorrowedDescriptor, rows: UInt16, columns: UInt16) throws(Errno) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try unsafe withUnsafePointer(to: &size) { (pointer) throws(Errno) in
            _ = try unsafe syscall(__NR_ioctl, terminal.argument, Int(TIOCSWINSZ), pointer.argument)
        }
    }

    /// TIOCGWINSZ: rows and columns in characters; nil for what is no terminal.
    public static func size(of terminal: BorrowedDescriptor) -> (rows: UInt16, columns: UInt16)? {
        var size = winsize()
        let result = unsafe withUnsafeMutablePointer(to: &size) { pointer in
            unsafe cl_syscall(Int(__NR_ioctl), terminal.argument, Int(TIOCGWINSZ), pointer.argument, 0, 0, 0)
        }
        return result == 0 ? (size.ws_row, size.ws_col) : nil
    }

    /// Clears ONLCR, on either side: a newline that is written comes out as it is.
    public static func keepNewlines(of terminal: BorrowedDescriptor) throws(Errno) {
        var settings = termios()
        guard unsafe tcgetattr(terminal.rawValue, &settings) == 0 else { throw Errno(rawValue: errno) }
        settings.c_oflag &= ~tcflag_t(ONLCR)
        guard unsafe tcsetattr(terminal.rawValue, TCSANOW, &settings) == 0 else { throw Errno(rawValue: errno) }
    }

    /// TIOCSCTTY: makes `terminal` the controlling terminal of the session this process leads.
    public static func makeControlling(_ terminal: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_ioctl, terminal.argument, Int(TIOCSCTTY), 0)
    }
}
