// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// A pty on the host: the caller holds one side, the proxy of the guest's process the other.
struct Console: ~Copyable {
    let master: FileDescriptor
    let slave: FileDescriptor

    init(size: TerminalSize?) throws(Errno) {
        let master = try FileDescriptor.open("/dev/ptmx", [.readWrite, .noControllingTerminal])
        let slave = try Pseudoterminal.openPeer(of: master.borrowed)
        if let size { try Pseudoterminal.setSize(of: master.borrowed, rows: size.rows, columns: size.columns) }
        self.master = master
        self.slave = slave
    }

    /// Sends the master to the listener of the unix socket at `path`, as runc does for --console-socket:
    /// one message, the descriptor with the terminal's name.
    borrowing func send(to path: String) throws(Errno) {
        let socket = try UnixSocket.connect(to: path)
        let name = Array("/dev/ptmx".utf8)
        // The array outlives the call that sends it.
        let result = unsafe name.withUnsafeBytes { bytes in
            Result { () throws(Errno) in
                try unsafe DescriptorPassing.send(bytes, [master.borrowed], on: socket.borrowed)
            }
        }
        _ = try result.get()
    }
}
