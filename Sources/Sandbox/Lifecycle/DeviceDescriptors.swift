import CLinux
import Engine
import Linux

/// What a sandbox's devices are connected to on the host, opened here once.
struct DeviceDescriptors: ~Copyable {
    /// fc-fsd's end, and the machine's.
    let fileServer: SocketPair
    let vsockListener: FileDescriptor
    let vsockDirectory: FileDescriptor
    let consoleLog: FileDescriptor
    let control: FileDescriptor
    let jailLog: FileDescriptor
    let log: FileDescriptor

    init(_ files: SandboxFiles) throws(Errno) {
        let directory = try SocketDirectory(path: files.vsockDirectory)
        let fileServer = try UnixSocket.pair()
        let listener = try UnixSocket.listen(at: directory.path(of: SandboxFiles.listenerName), nonBlocking: true)
        let vsockDirectory = try FileDescriptor.open(files.vsockDirectory, [.directory, .noFollow])
        let consoleLog = try Self.appending(files.consoleLog)
        let ownDirectory = try SocketDirectory(path: files.directory)
        let control = try UnixSocket.listen(at: ownDirectory.path(of: SandboxFiles.controlName), nonBlocking: true)
        let jailLog = try Self.appending(files.jailLog)
        let log = try Self.appending(files.deviceLog)
        self.fileServer = fileServer
        vsockListener = listener
        self.vsockDirectory = vsockDirectory
        self.consoleLog = consoleLog
        self.control = control
        self.jailLog = jailLog
        self.log = log
    }

    private static func appending(_ path: String) throws(Errno) -> FileDescriptor {
        try FileDescriptor.open(path, [.writeOnly, .create, .append, .noFollow], mode: 0o600)
    }

    var machine: MachineDevices {
        MachineDevices(
            fileSystemSocket: fileServer.second.rawValue, vsockListener: vsockListener.rawValue,
            vsockDirectory: vsockDirectory.rawValue, consoleLog: consoleLog.rawValue, control: control.rawValue,
            log: log.rawValue)
    }
}
