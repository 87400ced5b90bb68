// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan

/// A terminal of the host that stands before one in the guest. The guest's does the editing and the echo, so
/// this one passes bytes as they are.
struct RawTerminal: ~Copyable {
    private let descriptor: BorrowedDescriptor
    private var saved: termios

    /// Makes the terminal behind `descriptor` raw.
    ///
    /// - Parameter keepsOutputProcessing: what it does to what is printed is left as it is set.
    init(_ descriptor: BorrowedDescriptor, keepsOutputProcessing: Bool) throws(Errno) {
        self.descriptor = descriptor
        saved = termios()
        // The C library fills the structure, and only reads it below; neither keeps it.
        guard unsafe tcgetattr(descriptor.rawValue, &saved) == 0 else { throw Errno(rawValue: errno) }
        var raw = saved
        unsafe cfmakeraw(&raw)
        if keepsOutputProcessing { raw.c_oflag |= saved.c_oflag & tcflag_t(OPOST) }
        guard unsafe tcsetattr(descriptor.rawValue, TCSANOW, &raw) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Gives the terminal back as it was found.
    mutating func restore() {
        // As in init.
        unsafe tcsetattr(descriptor.rawValue, TCSANOW, &saved)
    }

    /// Its size now; nil for what is no terminal.
    static func size(_ descriptor: BorrowedDescriptor) -> TerminalSize? {
        Pseudoterminal.size(of: descriptor).map { TerminalSize(rows: $0.rows, columns: $0.columns) }
    }
}
