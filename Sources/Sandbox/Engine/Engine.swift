// SPDX-License-Identifier: Apache-2.0
public import Linux
public import SandboxPlan

/// Makes running programs of a machine. An engine decides how virtual processors run and how the guest reaches its
/// devices; the devices' ends on the host are the same for every engine.
public protocol Engine: Sendable {
    /// The most host memory, in bytes, that the machine's programs take besides the guest's own: a cgroup's limit leaves
    /// room for it.
    var memoryOverheadByteCount: UInt64 { get }

    /// The programs of `machine`, for a JailPlan, in the order in which they start, and the descriptors that connect
    /// them, which stay open until the jail runs.
    func processes(for machine: MachinePlan, devices: MachineDevices) throws(EngineError) -> MachineProcesses
}

/// The host's ends of the devices, open descriptors that stay the caller's.
public struct MachineDevices: Hashable, Sendable {
    /// virtio-fs: the end of a socket pair whose other end is fc-fsd's. It speaks vhost-user, as front-end.
    public var fileSystemSocket: BorrowedDescriptor
    /// virtio-vsock: the listening unix socket at which host processes reach the guest's ports.
    public var vsockListener: BorrowedDescriptor
    /// virtio-vsock: a detached mount of the directory of the unix sockets that the guest's connections reach, one a
    /// port. A descriptor of the directory itself would lead up to the host's root.
    public var vsockDirectory: BorrowedDescriptor
    /// Where the guest's console is kept: a file, written at its end.
    public var consoleLog: BorrowedDescriptor
    /// The listening unix socket at which fc-vmm answers questions and takes orders.
    public var control: BorrowedDescriptor
    /// The programs' log: a file or a pipe.
    public var log: BorrowedDescriptor

    /// All of them stay the caller's.
    public init(
        fileSystemSocket: BorrowedDescriptor, vsockListener: BorrowedDescriptor, vsockDirectory: BorrowedDescriptor,
        consoleLog: BorrowedDescriptor, control: BorrowedDescriptor, log: BorrowedDescriptor
    ) {
        self.fileSystemSocket = fileSystemSocket
        self.vsockListener = vsockListener
        self.vsockDirectory = vsockDirectory
        self.consoleLog = consoleLog
        self.control = control
        self.log = log
    }
}

extension MachineDevices {
    /// The directory's place in fc-vmm's jail.
    public static let vsockPath = "/vsock"

    /// The directory's mount there, read-only: connect(2) writes nothing.
    public var vsockMount: JailMount {
        JailMount(
            source: .detached(descriptor: vsockDirectory.rawValue, isFile: false), destination: Self.vsockPath,
            isReadOnly: true)
    }
}

/// Programs for a jail, and the descriptors that connect them, closed when this value ends.
public struct MachineProcesses: ~Copyable, Sendable {
    /// In the order in which they start.
    public let processes: [JailedProcess]
    let channels: DescriptorList

    /// Takes ownership of `channels`, which `processes` inherit.
    public init(processes: [JailedProcess], channels: consuming DescriptorList) {
        self.processes = processes
        self.channels = channels
    }
}

extension ResourceLimit {
    /// No core file: it would hold the guest's memory.
    public static let noCore = ResourceLimit(resource: 4, soft: 0, hard: 0)
}

extension MachinePlan {
    /// Refuses a machine that no engine can run.
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
        guard (0...Self.networkSlotLimit).contains(networkSlotCount) else {
            throw .tooManyNetworkSlots(networkSlotCount)
        }
        guard deviceDiscovery != .commandLine || plannedDeviceCount <= Self.diskLimit else {
            throw .tooManyDevices(disks: disks.count, networkSlots: networkSlotCount)
        }
        var serials: Set<String> = []
        for disk in disks {
            guard DiskPlan.isSerial(disk.serial) else { throw .invalidDiskSerial(disk.serial) }
            guard serials.insert(disk.serial).inserted else { throw .repeatedDiskSerial(disk.serial) }
        }
    }
}
