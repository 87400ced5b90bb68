// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// The command line of fc-vmm: numbers and open descriptors, and the one directory of its jail where names are looked up.
/// Descriptors are the program's own.
public enum MonitorArguments: Equatable, Sendable {
    /// Another monitor's machine: only the devices are here.
    case devices(DeviceArguments)
    /// A machine of our own.
    case machine(MachineArguments)

    /// - Parameter words: what follows the program's name.
    public init(parsing words: [String]) throws(ArgumentError) {
        let rest = words.dropFirst()
        switch words.first {
        case "devices": self = .devices(try DeviceArguments(parsing: rest, requiresOpen: true))
        case "machine": self = .machine(try MachineArguments(parsing: rest, requiresOpen: true))
        default: throw .mode(words.first ?? "", known: ["devices", "machine"])
        }
    }

    /// The words that ``init(parsing:)`` reads as this value.
    public func arguments() throws(ArgumentError) -> [String] {
        switch self {
        case .devices(let arguments): ["devices"] + (try arguments.arguments())
        case .machine(let arguments): ["machine"] + (try arguments.arguments())
        }
    }

    /// The log's descriptor where `words` name one, whatever else is wrong with them.
    public static func logDescriptor(in words: [String]) -> Int32? {
        guard let index = words.firstIndex(of: "--log-fd"), index + 1 < words.count else { return nil }
        return Int32(words[index + 1])
    }
}

/// A socket device: the host's peers and ports.
public struct SocketArguments: ArgumentList {
    /// The guest's context identifier, 3 to 0xffff_fffe.
    public var guestCID: UInt64 = 0
    /// Listens for host peers.
    public var listener: Int32 = -1
    /// The directory with the host's ports, opened at start; absolute.
    public var directory = ""

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.value("--guest-cid", &guestCID, .number(3...0xffff_fffe))
        try flags.descriptor("--vsock-listen-fd", &listener)
        try flags.value("--vsock-directory", &directory, .path)
    }
}

/// `fc-vmm devices`: the devices of a machine that QEMU runs.
public struct DeviceArguments: ArgumentList {
    /// The vsock device.
    public var sockets = SocketArguments()
    /// Connected to QEMU's vhost-user-vsock device.
    public var vsockVhost: Int32 = -1
    /// QEMU's disks.
    public var disks: [ServedDiskArguments] = []
    /// QEMU's networks.
    public var networks: [ServedNetworkArguments] = []
    /// What the guest's serial console writes to.
    public var console: Int32 = -1
    /// The regular file the console goes to.
    public var consoleLog: Int32 = -1
    /// Listens for questions and orders.
    public var control: Int32 = -1
    /// Where this program says what went wrong.
    public var log: Int32 = -1

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try sockets.list(&flags)
        try flags.descriptor("--vsock-vhost-fd", &vsockVhost)
        try flags.fields("--disk", &disks)
        try flags.fields("--net", &networks)
        try flags.descriptor("--console-fd", &console)
        try flags.descriptor("--console-log-fd", &consoleLog)
        try flags.descriptor("--control-fd", &control)
        try flags.descriptor("--log-fd", &log)
    }
}

/// `fc-vmm machine`: a machine of our own. What is optional is left out of the machine.
public struct MachineArguments: ArgumentList {
    /// /dev/kvm.
    public var kvm: Int32 = -1
    /// The guest's kernel: an ELF or a bzImage.
    public var kernel: Int32 = -1
    /// The guest's initramfs.
    public var initramfs: Int32?
    /// What the guest's command line gets behind what the monitor says of its machine.
    public var commandLine = ""
    /// 1 to ``MachinePlan/monitorProcessorLimit``.
    public var vcpuCount = 0
    /// Bytes, a multiple of 1 MiB.
    public var memoryByteCount: UInt64 = 0
    /// The vsock device.
    public var sockets: SocketArguments?
    /// The file system device.
    public var share: ShareArguments?
    /// In the order of their slots.
    public var disks: [DiskPlan] = []
    /// In the order of their slots.
    public var networks: [NetworkArguments] = []
    /// The regular file the console goes to.
    public var consoleLog: Int32 = -1
    /// Listens for questions and orders.
    public var control: Int32?
    /// Where this program says what went wrong.
    public var log: Int32 = -1

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.descriptor("--kvm-fd", &kvm)
        try flags.descriptor("--kernel-fd", &kernel)
        try flags.descriptor("--initramfs-fd", &initramfs)
        try flags.value("--command-line", &commandLine, .text(), initial: "")
        try flags.value("--vcpus", &vcpuCount, .number(1...MachinePlan.monitorProcessorLimit))
        try flags.value("--memory", &memoryByteCount, .number(32 << 20...1 << 40) { $0 % (1 << 20) == 0 })
        try flags.group(ifGiven: "--vsock-listen-fd", &sockets)
        try flags.group(ifGiven: "--fs-fd", &share)
        try flags.descriptor("--console-log-fd", &consoleLog)
        try flags.descriptor("--control-fd", &control)
        try flags.descriptor("--log-fd", &log)
        try flags.fields("--disk", &disks)
        try flags.fields("--net", &networks)
    }
}

/// A file system device, served by another process.
public struct ShareArguments: ArgumentList {
    /// Connected to a vhost-user back-end.
    public var socket: Int32 = -1
    /// 1 to 36 bytes of UTF-8, virtio 1.2 §5.11.4.
    public var tag = ""

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ flags: inout ArgumentCoder) throws(ArgumentError) {
        try flags.descriptor("--fs-fd", &socket)
        try flags.value("--fs-tag", &tag, .text(byteCount: 1...36))
    }
}
