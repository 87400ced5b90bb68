// SPDX-License-Identifier: Apache-2.0
import Linux
import ProgramArguments
public import SandboxPlan

/// The engine of our own: fc-vmm runs the virtual processors itself, through /dev/kvm, and has every device in it.
public struct KVMEngine: Engine {
    /// fc-vmm, on the host.
    public var monitor: String
    /// The KVM device.
    public var device = "/dev/kvm"

    /// Starts the fc-vmm at `monitor`.
    public init(monitor: String) {
        self.monitor = monitor
    }

    /// The programs' own memory, and what the kernel keeps of a machine: its page tables, shadows of its
    /// processors.
    public var memoryOverheadByteCount: UInt64 { 48 << 20 }

    /// fc-vmm alone.
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
        var process = JailedProcess.monitor(monitor, devices)
        var arguments = MachineArguments()
        arguments.vcpuCount = machine.vcpuCount
        arguments.memoryByteCount = machine.memoryByteCount
        arguments.commandLine = Self.commandLine(for: machine)
        arguments.log = JailedProcess.monitorLog
        arguments.kvm = process.inherit(kvm.borrowed)
        arguments.kernel = process.inherit(kernel.borrowed)
        arguments.initramfs = process.inherit(initramfs.borrowed)
        var share = ShareArguments()
        share.tag = GuestConvention.sharedTag
        share.socket = process.inherit(devices.fileSystemSocket)
        arguments.share = share
        arguments.sockets = process.inheritSockets(of: machine, devices)
        arguments.consoleLog = process.inherit(devices.consoleLog)
        arguments.control = process.inherit(devices.control)
        process.inheritPlannedDevices(of: machine, &arguments)
        process.arguments = try .monitor(.machine(arguments))
        var channels = DescriptorList()
        channels.append(kvm)
        channels.append(kernel)
        channels.append(initramfs)
        return MachineProcesses(processes: [process], channels: channels)
    }

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
