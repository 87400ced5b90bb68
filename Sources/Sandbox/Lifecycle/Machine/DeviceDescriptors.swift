// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import SandboxPlan

/// What a sandbox's devices are connected to on the host, opened here once.
struct DeviceDescriptors: ~Copyable {
    /// fc-fsd's end, and the machine's.
    let fileServer: SocketPair
    let vsockListener: FileDescriptor
    /// A detached mount.
    let vsockDirectory: FileDescriptor
    let consoleLog: FileDescriptor
    let control: FileDescriptor
    let jailLog: FileDescriptor
    /// What the programs say: the writing end is theirs, the rest the jail's supervisor's.
    let log: Pipe
    let logFile: FileDescriptor

    init(_ files: MachineFiles) throws(Errno) {
        let directory = try SocketDirectory(path: files.vsockDirectory)
        let fileServer = try UnixSocket.pair()
        let listener = try UnixSocket.listen(at: directory.path(of: MachineFiles.listenerName), nonBlocking: true)
        let vsockDirectory = try Mount.copy(files.vsockDirectory, recursive: false, followsLink: false)
        let consoleLog = try Self.appending(files.consoleLog)
        let ownDirectory = try SocketDirectory(path: files.directory)
        let control = try UnixSocket.listen(at: ownDirectory.path(of: MachineFiles.controlName), nonBlocking: true)
        let jailLog = try Self.appending(files.jailLog)
        let log = try FileDescriptor.pipe()
        let logFile = try Self.appending(files.deviceLog)
        self.fileServer = fileServer
        vsockListener = listener
        self.vsockDirectory = vsockDirectory
        self.consoleLog = consoleLog
        self.control = control
        self.jailLog = jailLog
        self.log = log
        self.logFile = logFile
    }

    private static func appending(_ path: String) throws(Errno) -> FileDescriptor {
        try FileDescriptor.open(path, [.writeOnly, .create, .append, .noFollow], mode: 0o600)
    }

    var machine: MachineDevices {
        MachineDevices(
            fileSystemSocket: fileServer.second.borrowed, vsockListener: vsockListener.borrowed,
            vsockDirectory: vsockDirectory.borrowed, consoleLog: consoleLog.borrowed, control: control.borrowed,
            log: log.writer.borrowed)
    }

    var programLog: JailLog { JailLog(pipe: log.reader.rawValue, file: logFile.rawValue) }
}
