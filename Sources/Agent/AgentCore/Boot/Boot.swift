// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// From the kernel's first process to an agent that can be asked: each stage has a name, and what fails
/// says which.
public enum Boot {
    static let settings = {
        var settings = AgentSettings(
            sharedDirectory: GuestConvention.sharedDirectory, rootMountPoint: "/run/fc/root",
            cgroupDirectory: "/sys/fs/cgroup/containers")
        // The usual limits of open files; the agent's own are higher.
        settings.defaultLimits = [ResourceLimit(resource: 7, soft: 1024, hard: 1_048_576)]
        settings.programsDirectory = "/sys/fs/cgroup/programs"
        return settings
    }()

    struct StageError: Error {
        let stage: String
        let errno: Errno
    }

    /// Runs as PID 1. Whatever happens, the machine ends with it. As any other process it only loads `module`, when the
    /// kernel asks for that: the rest would change the file systems of the machine it was tried on.
    public static func run(module: String?) -> Never {
        if let module { ModuleRequest.run(module) }
        guard getpid() == 1 else {
            say("fc-agent: only runs as the first process of a guest")
            Process.exitNow(1)
        }
        tellBootTimer()
        do throws(StageError) {
            try serve()
        } catch {
            say("fc-agent: \(error.stage): \(error.errno)")
        }
        try? Kernel.restart()
        Process.exitNow(1)
    }

    /// A monitor of our own notes the time; no other listens, and nothing depends on it.
    private static func tellBootTimer() {
        #if arch(x86_64)
            try? Kernel.write(port: GuestConvention.bootTimerPort, GuestConvention.bootTimerValue)
        #endif
    }

    private static func serve() throws(StageError) {
        try stage("file systems", try BootFileSystems.mountFirst())
        openConsole()
        let hasModules = try loadModules()
        try stage("root", try BootFileSystems.changeRoot())
        if hasModules { try stage("modprobe", try ModuleRequest.offer()) }
        try stage("cgroup", try BootFileSystems.makeCgroups(settings.cgroupDirectory))
        try stage("virtio-fs \(GuestConvention.sharedTag)", try BootFileSystems.mountShared(settings))
        try stage("limits") { () throws(Errno) in
            try Kernel.raiseLoopback()
            NetworkSlots.clear()
            try Process.setLimit(7, soft: 1_048_576, hard: 1_048_576)
            try FileDescriptor.open("/proc/self/oom_score_adj", .writeOnly).writeAll(Array("-1000".utf8))
        }
        let agent: Agent
        do throws(Errno) {
            let control = try VsockSocket.listen(port: GuestConvention.controlPort)
            let streams = try VsockSocket.listen(port: GuestConvention.streamPort)
            agent = try Agent(control: control, streams: streams, settings: settings)
        } catch {
            throw StageError(stage: "vsock", errno: error)
        }
        // The host hears that all is ready, and later, by the end of this connection, that the guest has gone.
        let ready = try stage(
            "connect to the host", try VsockSocket.connect(cid: VsockSocket.hostCID, port: GuestConvention.readyPort))
        try stage("serve", try agent.run())
        _ = consume ready
    }

    /// Runs `body`, naming the stage in its error.
    private static func stage<Result: ~Copyable>(
        _ name: String, _ body: () throws(Errno) -> Result
    ) throws(StageError) -> Result {
        do {
            return try body()
        } catch {
            throw StageError(stage: name, errno: error)
        }
    }

    private static func stage<Result: ~Copyable>(
        _ name: String, _ body: @autoclosure () throws(Errno) -> Result
    ) throws(StageError) -> Result {
        do {
            return try body()
        } catch {
            throw StageError(stage: name, errno: error)
        }
    }

    /// Loads what /modules/load lists, in its order, and, where the machine has a disk, what /modules/load-disk does.
    ///
    /// - Returns: whether there was any: a kernel that has all built in comes without.
    private static func loadModules() throws(StageError) -> Bool {
        let hasModules = try loadModules(list: "/modules/load")
        // A kernel without modules comes without this list, and its devices need not be looked at.
        let disks = "/modules/load-disk"
        if (try? FileDescriptor.open(disks, .path)) != nil, hasDisk() { try loadModules(list: disks) }
        return hasModules
    }

    @discardableResult
    private static func loadModules(list path: String) throws(StageError) -> Bool {
        let list: [UInt8]
        do {
            list = try FileDescriptor.open(path).readAll(limit: 65536)
        } catch {
            if error == .noSuchFile { return false }
            throw StageError(stage: "modules", errno: error)
        }
        let names = words(list)
        for word in names {
            let name = String(decoding: word, as: UTF8.self)
            try stage("module \(name)", try Kernel.load(module: FileDescriptor.open("/modules/\(name)")))
        }
        return !names.isEmpty
    }

    /// What stands between blanks. Not by characters: at a start nothing else needs what the standard library knows of
    /// those, and every piece of program costs a translated guest the time to translate it.
    static func words(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] { words(bytes[...]) }

    static func words(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        bytes.split { $0 <= UInt8(ascii: " ") }
    }

    /// Whether a virtio device is a block device, virtio 1.2 §5: the modules for one are loaded only then.
    private static func hasDisk() -> Bool {
        let path = "/sys/bus/virtio/devices"
        guard let bus = try? FileDescriptor.open(path, .directory),
            let devices = try? Directory.entries(of: bus.borrowed)
        else { return false }
        return devices.contains { device in
            let kind = try? FileDescriptor.open("\(path)/\(device.name)/device").read(upTo: 16)
            return kind.map { String(decoding: $0, as: UTF8.self) == "0x0002\n" } ?? false
        }
    }

    private static func openConsole() {
        guard let console = try? FileDescriptor.open("/dev/console", [.readWrite, .noControllingTerminal]) else {
            return
        }
        for number in 0..<Int32(3) where number != console.rawValue {
            try? FileDescriptor.assign(number, from: console.borrowed)
        }
    }

    /// One line on the guest's console.
    static func say(_ line: String) {
        try? BorrowedDescriptor.standardError.duplicate().writeAll(Array((line + "\n").utf8))
    }
}
