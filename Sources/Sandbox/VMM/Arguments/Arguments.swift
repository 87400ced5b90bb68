/// What fc-vmm is told: numbers and open descriptors, nothing to be opened by name.
enum Arguments: Equatable {
    /// Another monitor's machine: only the devices are here.
    case devices(DeviceArguments)
    /// A machine of our own.
    case machine(MachineArguments)

    /// - Parameter words: the command line behind the program's name.
    init(_ words: [String]) throws(VMMError) {
        switch words.first {
        case "devices": self = .devices(try DeviceArguments(words.dropFirst()))
        case "machine": self = .machine(try MachineArguments(words.dropFirst()))
        default: throw .mode(words.first ?? "")
        }
    }
}

/// The range of a guest's context identifier.
let guestCIDs: ClosedRange<UInt64> = 3...0xffff_fffe

/// `fc-vmm devices`: the devices of a machine that QEMU runs.
struct DeviceArguments: Equatable {
    var guestCID: UInt64
    /// Connected to QEMU's vhost-user-vsock device.
    var vsockVhost: Int32
    /// Listens for host peers.
    var vsockListener: Int32
    /// The directory with the host's ports.
    var vsockDirectory: Int32
    var disks: [DiskArguments] = []
    /// What the guest's serial console writes to.
    var console: Int32
    /// The regular file the console goes to.
    var consoleLog: Int32
    /// Listens for questions and orders.
    var control: Int32
    /// Where this program says what went wrong.
    var log: Int32

    init(_ words: ArraySlice<String>) throws(VMMError) {
        var flags = try FlagReader(words, repeatable: ["--disk"])
        guestCID = try flags.number("--guest-cid", guestCIDs)
        vsockVhost = try flags.descriptor("--vsock-vhost-fd")
        vsockListener = try flags.descriptor("--vsock-listen-fd")
        vsockDirectory = try flags.descriptor("--vsock-directory-fd")
        for text in flags.all("--disk") { disks.append(try DiskArguments(text, &flags, isServed: true)) }
        console = try flags.descriptor("--console-fd")
        consoleLog = try flags.descriptor("--console-log-fd")
        control = try flags.descriptor("--control-fd")
        log = try flags.descriptor("--log-fd")
        try flags.finish()
        try flags.checkDescriptors()
    }
}
