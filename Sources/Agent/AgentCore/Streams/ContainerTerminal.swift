// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import SandboxPlan

/// A process's terminal: a pty of the container's own devpts, whose master goes to the agent.
final class ContainerTerminal {
    let master: FileDescriptor
    let peer: FileDescriptor

    /// A new pty of the devpts at /dev/pts of `root`, with what `plan` says of it.
    init(in root: borrowing RootDirectory, _ plan: ProcessPlan) throws(LaunchFailure) {
        let master = try step(.terminal, "open /dev/pts/ptmx") { () throws(Errno) in
            let directory = try root.open("/dev/pts")
            // Opened by the directory that was checked, never by what a link in the container says (CVE-2025-52565).
            guard try FileNode.fileSystemKind(of: directory.borrowed) == Int(DEVPTS_SUPER_MAGIC) else {
                throw .noSuchFile
            }
            let master = try FileDescriptor.open(
                "ptmx", at: directory.borrowed, [.readWrite, .noFollow, .noControllingTerminal])
            guard try FileNode.status(of: master.borrowed).deviceNumber == FileNode.deviceNumber(major: 5, minor: 2)
            else { throw .noSuchFile }
            return master
        }
        let peer = try step(.terminal, "open the terminal", try Pseudoterminal.openPeer(of: master.borrowed))
        if let size = plan.terminalSize {
            try step(
                .terminal, "set the terminal's size",
                try Pseudoterminal.setSize(of: master.borrowed, rows: size.rows, columns: size.columns))
        }
        if plan.terminalKeepsNewlines {
            try step(.terminal, "clear the terminal's ONLCR", try Pseudoterminal.keepNewlines(of: master.borrowed))
        }
        self.master = master
        self.peer = peer
    }

    /// Binds the terminal to /dev/console of `root`.
    func bindConsole(in root: borrowing RootDirectory) throws(LaunchFailure) {
        try step(.terminal, "bind /dev/console") { () throws(Errno) in
            let target = try root.open("/dev/console", followsLast: false, creating: .file)
            if try FileNode.status(of: target.borrowed).isSymlink { throw .tooManyLinks }
            let copy = try Mount.copy("", at: peer.borrowed, recursive: false)
            try MountPoint.attach(copy.borrowed, on: target.borrowed)
        }
    }

    /// Makes the terminal this session's, and the three standard descriptors.
    func take() throws(LaunchFailure) {
        try step(.terminal, "take the terminal") { () throws(Errno) in
            try Pseudoterminal.makeControlling(peer.borrowed)
            for number in 0..<Int32(3) { try FileDescriptor.assign(number, from: peer.borrowed) }
        }
    }
}
