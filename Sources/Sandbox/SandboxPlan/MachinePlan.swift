// SPDX-License-Identifier: Apache-2.0
/// The virtual machine: what every engine needs to know, and nothing of how it does it.
public struct MachinePlan: Hashable, Sendable {
    /// Linux: an uncompressed ELF with a PVH note, which every engine takes.
    public var kernelPath: String
    /// Uncompressed cpio, the agent as /init.
    public var initramfsPath: String
    /// How the kernel learns of its devices.
    public var deviceDiscovery = DeviceDiscovery.firmware
    /// What the guest's command line gets beyond what the engine needs.
    public var kernelArguments: [String] = []
    /// 1 to 255.
    public var vcpuCount: Int
    /// A multiple of 1 MiB.
    public var memoryByteCount: UInt64
    /// The guest is to tell which of its memory it does not use, where the engine leaves that open: memory that a
    /// container took is the host's again when it has gone.
    public var reportsFreeMemory = false
    /// 3 to 0xffff_fffe: the guest's address on its vsock.
    public var guestCID: UInt64
    /// At most ``diskLimit``.
    public var disks: [DiskPlan] = []
    /// Network devices that are made without a link, at most ``networkSlotLimit``.
    public var networkSlotCount = 0

    /// Disks, and with device discovery by command line all planned devices: the smallest of QEMU's machines has room for
    /// eight virtio devices; up to three are the sandbox's own.
    public static let diskLimit = 5
    /// As many networks as a namespace has, and more.
    public static let networkSlotLimit = 8
    /// The most virtual processors of a machine that fc-vmm runs itself: what it is tested with.
    public static let monitorProcessorLimit = 32

    public init(kernelPath: String, initramfsPath: String, vcpuCount: Int, memoryByteCount: UInt64, guestCID: UInt64) {
        self.kernelPath = kernelPath
        self.initramfsPath = initramfsPath
        self.vcpuCount = vcpuCount
        self.memoryByteCount = memoryByteCount
        self.guestCID = guestCID
    }

    /// The network devices that are made without a link, in their order.
    public var networkSlots: [NetworkSlot] { (0..<networkSlotCount).map(NetworkSlot.init) }
}

/// Names and numbers that host and guest must agree on, written down once.
public enum GuestConvention {
    /// The agent's port for control connections; host processes connect to it.
    public static let controlPort: UInt32 = 1024
    /// The agent's port for standard streams.
    public static let streamPort: UInt32 = 1025
    /// The host's port the agent connects to once, when it is ready.
    public static let readyPort: UInt32 = 1024
    /// The x86 I/O port where the guest's init says that it has begun, and what it writes there, a byte. No device
    /// of any machine is at it: where no monitor listens, nothing happens.
    public static let bootTimerPort: UInt16 = 0x5f0
    /// What is written to ``bootTimerPort``.
    public static let bootTimerValue: UInt8 = 123
    /// The virtio-fs tag of the shared directory tree.
    public static let sharedTag = "fc-shared"
    /// Where the agent mounts it.
    public static let sharedDirectory = "/run/fc/shared"
    /// The extended attribute of the shared tree's files that is asked for before something is mounted on one: fc-fsd
    /// then keeps the name, see its FixedNames.swift. Only who has CAP_SYS_ADMIN in the guest can ask.
    public static let mountPointAttribute: StaticString = "trusted.fc-runc.mount-point"
    /// The directory in it that holds the kernel's modules, where the kernel has any. No container's is called so.
    public static let modulesName = "modules"
}

/// The modules that a guest's kernel loads on demand.
public enum GuestModules {
    /// The directory beside a kernel that holds them, with depmod's lists: `vmlinux.modules` for `vmlinux`. A kernel without
    /// one has all it needs built in.
    public static func directory(of kernelPath: String) -> String { kernelPath + ".modules" }
}
