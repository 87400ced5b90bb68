import CLinux
import Glibc
import Linux
import SandboxPlan

/// A pty on the host: the caller holds one side, the proxy of the guest's process the other.
struct Console: ~Copyable {
    let master: FileDescriptor
    let slave: FileDescriptor

    init(size: TerminalSize?) throws(Errno) {
        let master = try FileDescriptor.open("/dev/ptmx", [.readWrite, .noControllingTerminal])
        var number: Int32 = 0
        var unlocked: Int32 = 0
        let descriptor = Int(master.rawValue)
        try unsafe withUnsafeMutablePointer(to: &unlocked) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_ioctl, descriptor, Int(CL_TIOCSPTLCK), pointer.argument)
        }
        try unsafe withUnsafeMutablePointer(to: &number) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_ioctl, descriptor, Int(CL_TIOCGPTN), pointer.argument)
        }
        let slave = try FileDescriptor.open("/dev/pts/\(number)", [.readWrite, .noControllingTerminal])
        if let size {
            var window = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
            try unsafe withUnsafeMutablePointer(to: &window) { (pointer) throws(Errno) in
                _ = unsafe try syscall(__NR_ioctl, descriptor, Int(TIOCSWINSZ), pointer.argument)
            }
        }
        self.master = master
        self.slave = slave
    }

    /// Hands the master to whoever listens on the unix socket at `path`, as runc does for --console-socket:
    /// one message, the descriptor with the terminal's name.
    borrowing func send(to path: String) throws(Errno) {
        let socket = try UnixSocket.connect(to: path)
        let name = Array("/dev/ptmx".utf8)
        let result = unsafe name.withUnsafeBytes { bytes in
            Result { () throws(Errno) in
                try unsafe DescriptorPassing.send(bytes, [master.rawValue], on: socket.rawValue)
            }
        }
        _ = try result.get()
    }
}
