import CLinux
import Linux
import SandboxPlan

/// A process's terminal: a pty of the container's own devpts, whose master goes to the agent.
final class ContainerTerminal {
    let master: FileDescriptor
    let peer: FileDescriptor

    /// A new pty of the devpts at /dev/pts of `root`.
    init(in root: borrowing RootDirectory, size: TerminalSize?) throws(LaunchFailure) {
        let master = try step(.terminal, "open /dev/pts/ptmx") { () throws(Errno) in
            let directory = try root.open("/dev/pts")
            // Opened by the directory that was checked, never by what a link in the container says (CVE-2025-52565).
            guard try FileNode.fileSystemKind(of: directory.rawValue) == Int(DEVPTS_SUPER_MAGIC) else {
                throw .noSuchFile
            }
            let master = try FileDescriptor.open(
                "ptmx", at: directory.rawValue, [.readWrite, .noFollow, .noControllingTerminal])
            guard try FileNode.status(of: master.rawValue).deviceNumber == FileNode.deviceNumber(major: 5, minor: 2)
            else { throw .noSuchFile }
            return master
        }
        let number = master.rawValue
        let peer = try step(.terminal, "open the terminal") { () throws(Errno) in
            try Pseudoterminal.openPeer(of: number)
        }
        if let size {
            try step(.terminal, "set the terminal's size") { () throws(Errno) in
                try Pseudoterminal.setSize(of: number, rows: size.rows, columns: size.columns)
            }
        }
        self.master = master
        self.peer = peer
    }

    /// Binds the terminal to /dev/console of `root`.
    func bindConsole(in root: borrowing RootDirectory) throws(LaunchFailure) {
        try step(.terminal, "bind /dev/console") { () throws(Errno) in
            let target = try root.open("/dev/console", followsLast: false, creating: .file)
            if try FileNode.status(of: target.rawValue).isSymlink { throw .tooManyLinks }
            let copy = try Mount.copy("", at: peer.rawValue, recursive: false)
            try Mount.attach(copy.rawValue, on: target.rawValue)
        }
    }

    /// Makes the terminal this session's, and the three standard descriptors.
    func take() throws(LaunchFailure) {
        try step(.terminal, "take the terminal") { () throws(Errno) in
            try Pseudoterminal.makeControlling(peer.rawValue)
            for number in 0..<Int32(3) { try FileDescriptor.assign(number, from: peer.rawValue) }
        }
    }
}
