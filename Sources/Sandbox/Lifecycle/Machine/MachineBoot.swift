// SPDX-License-Identifier: Apache-2.0
import Engine
import Glibc
import Jailer
import Linux
import RuntimeState
import SandboxPlan

/// Starts the programs of a new machine in their jail. The guest then boots, and sees nothing of the host but its
/// kernel's modules.
struct MachineBoot {
    let order: MachineOrder
    let engine: any Engine

    private var files: MachineFiles { order.files }

    func start() throws(RuntimeError) -> Machine {
        let ready = try readyListener()
        let watched = try makeLifeline()
        let lifeline = try files.openLifeline(of: order.id)
        try startJail(lifeline: watched.borrowed)
        // Open until the jail is in it.
        _ = consume watched
        return Machine(
            id: order.id, files: files, supervisor: try supervisor(), lifeline: lifeline,
            guest: .booting(Machine.Boot(ready: ready, timeoutSeconds: order.bootTimeoutSeconds)))
    }

    /// The socket at which the guest's agent says that it is ready.
    private func readyListener() throws(RuntimeError) -> FileDescriptor {
        try wrapping({ .launch(program: "fc-vmm", operation: "listen", $0) }) { () throws(Errno) in
            try Directory.make(files.vsockDirectory, mode: 0o700)
            let directory = try SocketDirectory(path: files.vsockDirectory)
            return try UnixSocket.listen(at: directory.path(of: MachineFiles.readyName))
        }
    }

    /// - Returns: the end that the jail watches.
    private func makeLifeline() throws(RuntimeError) -> FileDescriptor {
        try wrapping({ .launch(program: "fc-jailer", operation: "lifeline", $0) }) { () throws(Errno) in
            try FileNode.make(files.lifeline, at: .currentDirectory, mode: S_IFIFO | 0o600)
            return try FileDescriptor.open(files.lifeline, [.nonBlocking, .noFollow])
        }
    }

    /// Opens what the machine is to have and starts fc-jailer with it.
    private func startJail(lifeline: BorrowedDescriptor) throws(RuntimeError) {
        let modules = GuestModules.directory(of: order.plan.kernelPath)
        let tree = try SharedTree(try ShareSources(isDirectory(modules) ? [.modules(modules)] : []))
        let disks = try DiskFiles(of: order.bundle)
        var machine = order.plan
        machine.disks = disks.plans
        let devices = try wrapping({ .launch(program: "fc-jailer", operation: "open", $0) }, DeviceDescriptors(files))
        let programs = try wrapping(RuntimeError.engine, engine.processes(for: machine, devices: devices.machine))
        let fileServer = try wrapping(
            RuntimeError.engine,
            FileServerProcess.make(
                executable: order.parts.program("fc-fsd"), shares: tree.shares,
                socket: devices.fileServer.first.borrowed, log: devices.log.writer.borrowed))
        var jail = JailPlan(id: order.id, lifeline: lifeline.rawValue, status: devices.jailLog.rawValue)
        jail.log = devices.programLog
        jail.cgroups = order.cgroups.map(\.rawValue)
        jail.networkNamespace = order.network.rawValue
        jail.processes = [fileServer] + programs.processes
        var program = ChildProgram(path: order.parts.program("fc-jailer"), arguments: jail.arguments)
        program.descriptors = jail.inheritedDescriptors.sorted().map { BorrowedDescriptor(rawValue: $0) }
        program.standardStreams = [devices.logFile.borrowed, devices.logFile.borrowed, devices.logFile.borrowed]
        program.hasOwnSession = true
        let pid = try program.start()
        // Open until it has them.
        _ = consume tree
        _ = consume disks
        _ = consume devices
        _ = consume programs
        // fc-jailer ends when everything in the jail has started, or could not be.
        guard let ended = try? Process.wait(for: pid), ended.status == .exited(code: 0) else {
            throw jailFailure("fc-jailer ended")
        }
    }

    /// The jail's PID 1, as fc-jailer noted it.
    private func supervisor() throws(RuntimeError) -> ProcessIdentity {
        for case .supervisor(let pid) in files.jailStatus {
            if let identity = ProcessIdentity(of: pid) { return identity }
        }
        throw jailFailure("no supervisor")
    }

    private func jailFailure(_ what: String) -> RuntimeError {
        .sandboxFailed(stage: "jail", reason: files.jailReason ?? what, console: [])
    }
}
