public import SandboxPlan
import Linux

/// Who turns a machine into running programs. An engine decides how virtual processors run and how devices
/// reach them; the devices' other ends are the same for every engine.
public protocol Engine: Sendable {
    /// Host memory, in bytes, that the machine's programs take besides the guest's memory, at most: what a
    /// cgroup's limit must leave room for.
    var memoryOverheadByteCount: UInt64 { get }

    /// The programs of `machine`, for a JailPlan, in the order they are to be started, and the descriptors made
    /// to connect them, which must stay open until the jail runs.
    func processes(for machine: MachinePlan, devices: MachineDevices) throws(EngineError) -> MachineProcesses
}

/// The host's ends of the devices, by open descriptor; the caller's, before and after.
public struct MachineDevices: Hashable, Sendable {
    /// virtio-fs: the end of a socket pair whose other end is fc-fsd's. It speaks vhost-user, as front-end.
    public var fileSystemSocket: Int32
    /// virtio-vsock: the listening unix socket at which host processes reach the guest's ports.
    public var vsockListener: Int32
    /// virtio-vsock: the directory of the unix sockets that the guest's connections reach, one a port.
    public var vsockDirectory: Int32
    /// Where the guest's console is kept: a file, written at its end.
    public var consoleLog: Int32
    /// The listening unix socket at which fc-vmm answers questions and takes orders.
    public var control: Int32
    /// Where the programs log and complain: a file or a pipe.
    public var log: Int32

    public init(
        fileSystemSocket: Int32, vsockListener: Int32, vsockDirectory: Int32, consoleLog: Int32, control: Int32,
        log: Int32
    ) {
        self.fileSystemSocket = fileSystemSocket
        self.vsockListener = vsockListener
        self.vsockDirectory = vsockDirectory
        self.consoleLog = consoleLog
        self.control = control
        self.log = log
    }
}

/// Programs for a jail, and the descriptors between them, closed when this goes.
public struct MachineProcesses: ~Copyable, Sendable {
    public let processes: [JailedProcess]
    let channels: [Int32]

    /// Takes ownership of `channels`, which `processes` hands down.
    public init(processes: [JailedProcess], channels: [Int32]) {
        self.processes = processes
        self.channels = channels
    }

    deinit {
        for channel in channels { _ = FileDescriptor(owning: channel) }
    }
}

extension ResourceLimit {
    /// No core file: it would hold the guest's memory.
    public static let noCore = ResourceLimit(resource: 4, soft: 0, hard: 0)
}

extension DiskPlan {
    /// The value of fc-vmm's flag `--disk`, for the disk as descriptor `number` there.
    public func flagValue(descriptor number: Int32) -> String {
        var fields = ["fd=\(number)", "id=\(serial)"]
        if isReadOnly { fields.append("readonly") }
        if let bandwidth { fields.append("bandwidth=\(bandwidth.text)") }
        if let operations { fields.append("ops=\(operations.text)") }
        return fields.joined(separator: ",")
    }
}

extension RatePlan {
    fileprivate var text: String { "\(size)/\(burst)/\(refillMilliseconds)" }
}

extension MachinePlan {
    /// What no engine can do.
    public func check() throws(EngineError) {
        guard memoryByteCount % (1 << 20) == 0, (32 << 20...1 << 40).contains(memoryByteCount) else {
            throw .invalidMemory(byteCount: memoryByteCount)
        }
        guard (1...255).contains(vcpuCount) else { throw .invalidProcessorCount(vcpuCount) }
        guard (3...0xffff_fffe).contains(guestCID) else { throw .invalidGuestCID(guestCID) }
        for argument in kernelArguments where argument.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) {
            throw .invalidKernelArgument(argument)
        }
        guard disks.count <= Self.diskLimit else { throw .tooManyDisks(disks.count) }
        var serials: Set<String> = []
        for disk in disks {
            guard DiskPlan.isSerial(disk.serial) else { throw .invalidDiskSerial(disk.serial) }
            guard serials.insert(disk.serial).inserted else { throw .repeatedDiskSerial(disk.serial) }
        }
    }
}
