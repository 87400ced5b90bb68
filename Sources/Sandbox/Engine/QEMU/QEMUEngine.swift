// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import ProgramArguments
public import SandboxPlan

/// The engine that every host can have: Debian's QEMU runs the virtual processors, guest memory is a memfd that
/// it shares with the devices, and the devices are fc-vmm's and fc-fsd's, over vhost-user.
public struct QEMUEngine: Engine {
    /// QEMU on the host.
    public var installation: QEMUInstallation
    /// What executes the guest's instructions.
    public var accelerator: EngineChoice.Accelerator
    /// fc-vmm, on the host.
    public var monitor: String
    /// User and group of QEMU: nobody, who owns nothing. All it opens by name is readable to everyone.
    public var uid: UInt32 = 65534
    /// The group, likewise.
    public var gid: UInt32 = 65534

    /// Starts QEMU as nobody, beside the fc-vmm at `monitor`.
    public init(installation: QEMUInstallation, accelerator: EngineChoice.Accelerator, monitor: String) {
        self.installation = installation
        self.accelerator = accelerator
        self.monitor = monitor
    }

    /// The cache of translated code, QEMU's own data (about 60 MiB), page tables of the guest's memory, and
    /// 16 MiB for all of our programs.
    public var memoryOverheadByteCount: UInt64 {
        (accelerator == .tcg ? Self.translationCacheMebibytes << 20 : 0) + (96 << 20)
    }

    /// Without a bound QEMU takes up to 1 GiB.
    static let translationCacheMebibytes: UInt64 = 256

    /// fc-vmm and QEMU, connected by socket pairs.
    public func processes(
        for machine: MachinePlan, devices: MachineDevices
    ) throws(EngineError) -> MachineProcesses {
        try machine.check()
        try checkReadable([machine.kernelPath, machine.initramfsPath])
        let vsock = try channel("vsock")
        let console = try channel("the console")
        var disks = DeviceChannels()
        for _ in machine.disks { try disks.add() }
        var networks = NetworkChannels()
        try networks.add(machine.networkSlots)
        let processes = [
            try monitorProcess(
                machine, devices,
                Channels(
                    vsock: vsock.first.borrowed, console: console.first.borrowed, disks: disks.monitors.borrowed,
                    networks: networks.listeners.borrowed)),
            qemuProcess(
                machine, devices,
                Channels(
                    vsock: vsock.second.borrowed, console: console.second.borrowed, disks: disks.machines.borrowed,
                    networks: networks.directory.borrowed)),
        ]
        var channels = disks.release()
        networks.release(to: &channels)
        channels.append(vsock.first)
        channels.append(vsock.second)
        channels.append(console.first)
        channels.append(console.second)
        return MachineProcesses(processes: processes, channels: channels)
    }

    /// Whether everyone may read `files`; one that is missing is reported when it is opened.
    func checkReadable(_ files: [String]) throws(EngineError) {
        guard accelerator == .tcg else { return }
        for path in files {
            var status = stat()
            // stat(2) writes the structure and keeps nothing.
            guard unsafe stat(path, &status) == 0 else { continue }
            guard status.st_mode & S_IROTH != 0 else { throw .notReadable(path: path, uid: uid) }
        }
    }

    func channel(_ name: String) throws(EngineError) -> SocketPair {
        do {
            return try UnixSocket.pair()
        } catch {
            throw .makeChannel(name, error)
        }
    }

    /// fc-vmm: the vsock device, the disks, and the keeper of the console's log. It needs no capability, and of files
    /// only what it is handed.
    func monitorProcess(
        _ machine: MachinePlan, _ devices: MachineDevices, _ channels: Channels
    ) throws(EngineError) -> JailedProcess {
        var process = JailedProcess.monitor(monitor, devices)
        var arguments = DeviceArguments()
        arguments.log = JailedProcess.monitorLog
        arguments.vsockVhost = process.inherit(channels.vsock)
        arguments.sockets = process.inheritSockets(of: machine, devices)
        arguments.console = process.inherit(channels.console)
        arguments.consoleLog = process.inherit(devices.consoleLog)
        arguments.control = process.inherit(devices.control)
        process.inheritPlannedDevices(of: machine, disks: channels.disks, networks: channels.networks, &arguments)
        process.arguments = try .monitor(.devices(arguments))
        return process
    }

    /// One program's ends of the connections between QEMU and fc-vmm.
    struct Channels {
        var vsock: BorrowedDescriptor
        var console: BorrowedDescriptor
        /// In their order.
        var disks: [BorrowedDescriptor] = []
        /// fc-vmm's are the slots' listening sockets; QEMU's is the directory with them, where there are slots.
        var networks: [BorrowedDescriptor] = []
    }

    /// Descriptor of the first disk's channel in QEMU; the others follow.
    static let firstDiskChannel: Int32 = 6

    func qemuProcess(_ machine: MachinePlan, _ devices: MachineDevices, _ channels: Channels) -> JailedProcess {
        var process = JailedProcess(
            name: "qemu", executable: installation.executable, arguments: arguments(for: machine))
        process.mounts =
            installation.mounts() + [
                JailMount(source: .processes, destination: "/proc", isReadOnly: true),
                JailMount(source: .host(path: machine.kernelPath), destination: Self.kernel, isReadOnly: true),
                JailMount(source: .host(path: machine.initramfsPath), destination: Self.initramfs, isReadOnly: true),
            ]
        for directory in channels.networks {
            // connect(2) writes nothing.
            process.mounts.append(
                JailMount(
                    source: .detached(descriptor: directory.rawValue, isFile: false),
                    destination: NetworkChannels.place,
                    isReadOnly: true))
        }
        if accelerator == .kvm {
            process.mounts.append(JailMount(source: .devices(["kvm"]), destination: "/dev", isReadOnly: true))
        }
        process.descriptors = [
            InheritedDescriptor(source: devices.log.rawValue, target: 1),
            InheritedDescriptor(source: devices.log.rawValue, target: 2),
            InheritedDescriptor(source: channels.vsock.rawValue, target: 3),
            InheritedDescriptor(source: devices.fileSystemSocket.rawValue, target: 4),
            InheritedDescriptor(source: channels.console.rawValue, target: 5),
        ]
        for channel in channels.disks { _ = process.inherit(channel) }
        // A handful of descriptors is all it ever has.
        process.resourceLimits = [.noCore, ResourceLimit(resource: 7, soft: 256, hard: 256)]
        // /dev/kvm is root's and the kvm group's.
        if accelerator == .tcg {
            process.uid = uid
            process.gid = gid
        }
        return process
    }
}
