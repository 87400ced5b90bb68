import CLinux
import Glibc
import Linux
import SandboxPlan

/// From the kernel's first process to an agent that can be asked: each stage has a name, and what fails
/// says which.
public enum Boot {
    static let ground = {
        var ground = AgentGround(
            sharedDirectory: GuestConvention.sharedDirectory, rootMountPoint: "/run/fc/root",
            cgroupDirectory: "/sys/fs/cgroup/containers")
        // The usual limits of open files; the agent's own are higher.
        ground.defaultLimits = [ResourceLimit(resource: 7, soft: 1024, hard: 1_048_576)]
        return ground
    }()

    struct StageError: Error {
        let stage: String
        let errno: Errno
    }

    /// Runs as PID 1. Whatever happens, the machine ends with it. As anything else it does nothing: what it does to
    /// file systems would be done to those of whoever tried it.
    public static func run() -> Never {
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
        try? Machine.restart()
        Process.exitNow(1)
    }

    /// A monitor of our own notes the time; nobody else listens, and nothing depends on it.
    private static func tellBootTimer() {
        #if arch(x86_64)
            try? Machine.write(port: GuestConvention.bootTimerPort, GuestConvention.bootTimerValue)
        #endif
    }

    private static func serve() throws(StageError) {
        try stage("file systems") { () throws(Errno) in try BootFileSystems.mountFirst() }
        openConsole()
        try loadModules()
        try stage("root") { () throws(Errno) in try BootFileSystems.changeRoot() }
        try stage("cgroup") { () throws(Errno) in try BootFileSystems.makeCgroups(ground.cgroupDirectory) }
        try stage("virtio-fs \(GuestConvention.sharedTag)") { () throws(Errno) in
            try BootFileSystems.mountShared(ground)
        }
        try stage("limits") { () throws(Errno) in
            try Machine.raiseLoopback()
            try Process.setLimit(7, soft: 1_048_576, hard: 1_048_576)
            try FileDescriptor.open("/proc/self/oom_score_adj", .writeOnly).writeAll(Array("-1000".utf8))
        }
        let agent: Agent
        do throws(Errno) {
            let control = try VsockSocket.listen(port: GuestConvention.controlPort)
            let streams = try VsockSocket.listen(port: GuestConvention.streamPort)
            agent = try Agent(control: control, streams: streams, ground: ground)
        } catch {
            throw StageError(stage: "vsock", errno: error)
        }
        // The host hears that all is ready, and later, by the end of this connection, that the guest has gone.
        let ready = try stage("connect to the host") { () throws(Errno) in
            try VsockSocket.connect(cid: VsockSocket.hostCID, port: GuestConvention.readyPort)
        }
        try stage("serve") { () throws(Errno) in try agent.run() }
        _ = consume ready
    }

    static func stage<Result: ~Copyable>(
        _ name: String, _ body: () throws(Errno) -> Result
    ) throws(StageError) -> Result {
        do {
            return try body()
        } catch {
            throw StageError(stage: name, errno: error)
        }
    }

    /// Loads what /modules/load lists, in its order, and, where the machine has a disk, what /modules/load-disk does.
    private static func loadModules() throws(StageError) {
        try loadModules(list: "/modules/load")
        // A kernel without modules comes without this list, and its devices need not be looked at.
        let disks = "/modules/load-disk"
        if (try? FileDescriptor.open(disks, .path)) != nil, hasDisk() { try loadModules(list: disks) }
    }

    private static func loadModules(list path: String) throws(StageError) {
        let list: [UInt8]
        do {
            list = try FileDescriptor.open(path).readAll(limit: 65536)
        } catch {
            if error == .noSuchFile { return }
            throw StageError(stage: "modules", errno: error)
        }
        for word in words(list) {
            let name = String(decoding: word, as: UTF8.self)
            try stage("module \(name)") { () throws(Errno) in
                try Machine.load(module: FileDescriptor.open("/modules/\(name)"))
            }
        }
    }

    /// What stands between blanks. Not by characters: at a start nobody else needs what the standard library knows of
    /// those, and every piece of program costs a translated guest the time to translate it.
    static func words(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split { $0 <= UInt8(ascii: " ") }
    }

    /// Whether a virtio device is a block device, virtio 1.2 §5: the modules for one are loaded for nobody else.
    private static func hasDisk() -> Bool {
        let path = "/sys/bus/virtio/devices"
        guard let bus = try? FileDescriptor.open(path, .directory),
            let devices = try? Directory.entries(of: bus.rawValue)
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
            try? FileDescriptor.assign(number, from: console.rawValue)
        }
    }

    /// One line on the guest's console.
    static func say(_ line: String) {
        try? FileDescriptor.duplicate(of: 2, minimum: 3).writeAll(Array((line + "\n").utf8))
    }
}
