public import Engine
import Linux
public import SandboxPlan

/// The engine of our own: fc-vmm runs the virtual processors itself, through /dev/kvm, and has every device in it.
public struct KVMEngine: Engine {
    /// fc-vmm, on the host.
    public var monitor: String
    public var device = "/dev/kvm"

    public init(monitor: String) {
        self.monitor = monitor
    }

    /// The programs' own memory, and what the kernel keeps of a machine: its page tables, shadows of its
    /// processors.
    public var memoryOverheadByteCount: UInt64 { 48 << 20 }

    public func processes(
        for machine: MachinePlan, devices: MachineDevices
    ) throws(EngineError) -> MachineProcesses {
        try machine.check()
        guard machine.vcpuCount <= MachinePlan.monitorProcessorLimit else {
            throw .invalidProcessorCount(machine.vcpuCount)
        }
        let kvm = try open("KVM", device, .readWrite)
        let kernel = try open("guest kernel", machine.kernelPath)
        let initramfs = try open("guest initramfs", machine.initramfsPath)
        var process = JailedProcess(
            name: "fc-vmm", executable: monitor,
            arguments: [
                "machine", "--vcpus", "\(machine.vcpuCount)", "--memory", "\(machine.memoryByteCount)",
                "--command-line", Self.commandLine(for: machine), "--guest-cid", "\(machine.guestCID)",
                "--fs-tag", GuestConvention.sharedTag, "--log-fd", "2", "--kvm-fd", "3", "--kernel-fd", "4",
                "--initramfs-fd", "5", "--fs-fd", "6", "--vsock-listen-fd", "7", "--vsock-directory-fd", "8",
                "--console-log-fd", "9", "--control-fd", "10",
            ])
        process.mounts = [JailMount(source: .processes, destination: "/proc", isReadOnly: true)]
        process.descriptors = [
            HandedDescriptor(here: devices.log, there: 2),
            HandedDescriptor(here: kvm.rawValue, there: 3),
            HandedDescriptor(here: kernel.rawValue, there: 4),
            HandedDescriptor(here: initramfs.rawValue, there: 5),
            HandedDescriptor(here: devices.fileSystemSocket, there: 6),
            HandedDescriptor(here: devices.vsockListener, there: 7),
            HandedDescriptor(here: devices.vsockDirectory, there: 8),
            HandedDescriptor(here: devices.consoleLog, there: 9),
            HandedDescriptor(here: devices.control, there: 10),
        ]
        for (index, disk) in machine.disks.enumerated() {
            let number = Self.firstDiskDescriptor + Int32(index)
            process.arguments += ["--disk", disk.flagValue(descriptor: number)]
            process.descriptors.append(HandedDescriptor(here: disk.descriptor, there: number))
        }
        process.resourceLimits = [.noCore]
        return MachineProcesses(
            processes: [process], channels: [kvm.release(), kernel.release(), initramfs.release()])
    }

    private static let firstDiskDescriptor: Int32 = 11

    private func open(
        _ what: String, _ path: String, _ access: OpenOptions = []
    ) throws(EngineError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, access)
        } catch {
            throw .open(what: what, path: path, error)
        }
    }

    /// The guest's command line before the plan's own arguments, and behind what the monitor says of its machine. The
    /// console is the serial line.
    static func commandLine(for machine: MachinePlan) -> String {
        let own = [
            "console=ttyS0", "quiet", "cryptomgr.notests",
            "initcall_blacklist=blake2s_mod_init,trace_eval_init,trace_eval_sync",
        ]
        return (own + machine.kernelArguments).joined(separator: " ")
    }
}
