public import Engine
import Glibc
import Linux
public import SandboxPlan

/// The engine that every host can have: Debian's QEMU runs the virtual processors, guest memory is a memfd that
/// it shares with the devices, and the devices are fc-vmm's and fc-fsd's, over vhost-user.
public struct QEMUEngine: Engine {
    public var installation: QEMUInstallation
    public var accelerator: EngineChoice.Accelerator
    /// fc-vmm, on the host.
    public var monitor: String
    /// User and group of QEMU: nobody, who owns nothing. All it opens by name is readable to everyone.
    public var uid: UInt32 = 65534
    public var gid: UInt32 = 65534

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

    public func processes(
        for machine: MachinePlan, devices: MachineDevices
    ) throws(EngineError) -> MachineProcesses {
        try machine.check()
        try checkReadable([machine.kernelPath, machine.initramfsPath])
        let vsock = try channel("vsock")
        let console = try channel("the console")
        var disks = DiskChannels()
        for _ in machine.disks { try disks.add() }
        let processes = [
            monitorProcess(
                machine, devices, vsock: vsock.first.rawValue, console: console.first.rawValue, disks: disks.monitors),
            qemuProcess(
                machine, devices, vsock: vsock.second.rawValue, console: console.second.rawValue,
                disks: disks.machines),
        ]
        return MachineProcesses(
            processes: processes,
            channels: disks.release() + [
                vsock.first.release(), vsock.second.release(), console.first.release(), console.second.release(),
            ])
    }

    /// Whether everyone may read `files`; one that is not there is told of when it is opened.
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
        _ machine: MachinePlan, _ devices: MachineDevices, vsock: Int32, console: Int32, disks: [Int32] = []
    ) -> JailedProcess {
        var process = JailedProcess(
            name: "fc-vmm", executable: monitor,
            arguments: [
                "devices", "--guest-cid", "\(machine.guestCID)", "--vsock-vhost-fd", "3", "--vsock-listen-fd", "4",
                "--vsock-directory-fd", "5", "--console-fd", "6", "--console-log-fd", "7", "--control-fd", "8",
                "--log-fd", "2",
            ])
        process.mounts = [JailMount(source: .processes, destination: "/proc", isReadOnly: true)]
        process.descriptors = [
            HandedDescriptor(here: devices.log, there: 2),
            HandedDescriptor(here: vsock, there: 3),
            HandedDescriptor(here: devices.vsockListener, there: 4),
            HandedDescriptor(here: devices.vsockDirectory, there: 5),
            HandedDescriptor(here: console, there: 6),
            HandedDescriptor(here: devices.consoleLog, there: 7),
            HandedDescriptor(here: devices.control, there: 8),
        ]
        var next: Int32 = 9
        for (disk, channel) in zip(machine.disks, disks) {
            process.arguments += ["--disk", disk.flagValue(descriptor: next) + ",vhost-fd=\(next + 1)"]
            process.descriptors += [
                HandedDescriptor(here: disk.descriptor, there: next),
                HandedDescriptor(here: channel, there: next + 1),
            ]
            next += 2
        }
        process.resourceLimits = [.noCore]
        return process
    }

    /// Descriptor of the first disk's channel in QEMU; the others follow.
    static let firstDiskChannel: Int32 = 6

    func qemuProcess(
        _ machine: MachinePlan, _ devices: MachineDevices, vsock: Int32, console: Int32, disks: [Int32] = []
    ) -> JailedProcess {
        var process = JailedProcess(
            name: "qemu", executable: installation.executable, arguments: arguments(for: machine))
        process.mounts =
            installation.mounts() + [
                JailMount(source: .processes, destination: "/proc", isReadOnly: true),
                JailMount(source: .host(path: machine.kernelPath), destination: Self.kernel, isReadOnly: true),
                JailMount(source: .host(path: machine.initramfsPath), destination: Self.initramfs, isReadOnly: true),
            ]
        if accelerator == .kvm {
            process.mounts.append(JailMount(source: .devices(["kvm"]), destination: "/dev", isReadOnly: true))
        }
        process.descriptors = [
            HandedDescriptor(here: devices.log, there: 1),
            HandedDescriptor(here: devices.log, there: 2),
            HandedDescriptor(here: vsock, there: 3),
            HandedDescriptor(here: devices.fileSystemSocket, there: 4),
            HandedDescriptor(here: console, there: 5),
        ]
        for (index, channel) in disks.enumerated() {
            process.descriptors.append(HandedDescriptor(here: channel, there: Self.firstDiskChannel + Int32(index)))
        }
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
