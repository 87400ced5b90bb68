import RateLimiter
import SandboxPlan

/// `fc-vmm machine`: a machine of our own. What is optional is left out of the machine.
struct MachineArguments: Equatable {
    /// A socket device: the host's peers and ports.
    struct Sockets: Equatable {
        var guestCID: UInt64
        /// Listens for host peers.
        var listener: Int32
        /// The directory with the host's ports.
        var directory: Int32
    }

    /// A file system device, served by another process.
    struct Share: Equatable {
        /// Connected to a vhost-user back-end.
        var socket: Int32
        /// 1 to 36 bytes of UTF-8.
        var tag: String
    }

    /// /dev/kvm.
    var kvm: Int32
    var kernel: Int32
    var initramfs: Int32?
    var commandLine: String
    var vcpuCount: Int
    /// Bytes, a multiple of 1 MiB.
    var memoryByteCount: UInt64
    var sockets: Sockets?
    var share: Share?
    var disks: [DiskArguments] = []
    var networks: [NetworkArguments] = []
    /// The regular file the console goes to.
    var consoleLog: Int32
    /// Listens for questions and orders.
    var control: Int32?
    /// Where this program says what went wrong.
    var log: Int32

    init(_ words: ArraySlice<String>) throws(VMMError) {
        var flags = try FlagReader(words, repeatable: ["--disk", "--net"])
        kvm = try flags.descriptor("--kvm-fd")
        kernel = try flags.descriptor("--kernel-fd")
        initramfs = try flags.optionalDescriptor("--initramfs-fd")
        commandLine = flags.text("--command-line") ?? ""
        vcpuCount = Int(try flags.number("--vcpus", 1...UInt64(MachinePlan.monitorProcessorLimit)))
        memoryByteCount = try flags.number("--memory", 32 << 20...1 << 40)
        guard memoryByteCount % (1 << 20) == 0 else {
            throw .badNumber(flag: "--memory", value: String(memoryByteCount))
        }
        if let listener = try flags.optionalDescriptor("--vsock-listen-fd") {
            sockets = Sockets(
                guestCID: try flags.number("--guest-cid", guestCIDs), listener: listener,
                directory: try flags.descriptor("--vsock-directory-fd"))
        }
        if let socket = try flags.optionalDescriptor("--fs-fd") {
            let tag = flags.text("--fs-tag") ?? ""
            guard (1...36).contains(tag.utf8.count) else { throw .badValue(flag: "--fs-tag", value: tag) }
            share = Share(socket: socket, tag: tag)
        }
        for text in flags.all("--disk") { disks.append(try DiskArguments(text, &flags)) }
        for text in flags.all("--net") { networks.append(try NetworkArguments(text, &flags)) }
        consoleLog = try flags.descriptor("--console-log-fd")
        control = try flags.optionalDescriptor("--control-fd")
        log = try flags.descriptor("--log-fd")
        try flags.finish()
        try flags.checkDescriptors()
    }
}

/// `--disk fd=N,id=NAME[,readonly][,bandwidth=SIZE/BURST/MS][,ops=SIZE/BURST/MS][,vhost-fd=N]`
struct DiskArguments: Equatable {
    var descriptor: Int32
    /// Connected to QEMU's vhost-user-blk device; nil in a machine of our own.
    var vhost: Int32?
    /// What the guest reads as the disk's serial number: 1 to 20 bytes of ASCII.
    var id: String
    var isReadOnly = false
    var limits: RateLimits

    /// - Parameter isServed: whether it is a disk of QEMU's machine, which has a socket.
    init(_ text: String, _ flags: inout FlagReader, isServed: Bool = false) throws(VMMError) {
        var fields = try FieldReader(flag: "--disk", text)
        if isServed { vhost = try flags.descriptor(fields.text("vhost-fd") ?? "", of: "--disk") }
        descriptor = try flags.descriptor(fields.text("fd") ?? "", of: "--disk")
        id = fields.text("id") ?? ""
        guard (1...20).contains(id.utf8.count), id.utf8.allSatisfy({ (0x21..<0x7f).contains($0) }) else {
            throw .badValue(flag: "--disk", value: text)
        }
        isReadOnly = try fields.isSet("readonly")
        limits = try fields.limits()
        try fields.finish()
    }
}

/// `--net fd=N,id=NAME,mac=XX:XX:XX:XX:XX:XX[,mtu=N][,{rx,tx}-{bandwidth,ops}=SIZE/BURST/MS]`
struct NetworkArguments: Equatable {
    /// A tap, attached and with virtio-net's header switched on.
    var descriptor: Int32
    var id: String
    /// Six bytes.
    var address: [UInt8]
    var mtu: UInt16?
    var limits: NetworkLimits

    init(_ text: String, _ flags: inout FlagReader) throws(VMMError) {
        var fields = try FieldReader(flag: "--net", text)
        descriptor = try flags.descriptor(fields.text("fd") ?? "", of: "--net")
        id = fields.text("id") ?? ""
        guard (1...20).contains(id.utf8.count) else { throw .badValue(flag: "--net", value: text) }
        let parts = (fields.text("mac") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        address = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
        // An address of one station: the lowest bit of the first byte says that it is a group's.
        guard address.count == 6, parts.count == 6, address[0] & 1 == 0 else {
            throw .badValue(flag: "--net", value: text)
        }
        if let value = fields.text("mtu") {
            // virtio 1.2 §5.1.4.1
            guard let number = FlagReader.number(value), (68...65535).contains(number) else {
                throw .badValue(flag: "--net", value: text)
            }
            mtu = UInt16(number)
        }
        limits = try NetworkLimits(&fields)
        try fields.finish()
    }
}

/// The limits of both directions, as the guest sees them.
struct NetworkLimits: Equatable {
    var receive: RateLimits
    var transmit: RateLimits

    init(_ fields: inout FieldReader) throws(VMMError) {
        receive = try fields.limits("rx-")
        transmit = try fields.limits("tx-")
    }
}

/// `key=value,word,…`: the value of one flag.
struct FieldReader {
    let flag: String
    let text: String
    private var fields: [String: String] = [:]

    init(flag: String, _ text: String) throws(VMMError) {
        self.flag = flag
        self.text = text
        if text.isEmpty { return }
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard !parts[0].isEmpty, fields[String(parts[0])] == nil else { throw .badValue(flag: flag, value: text) }
            fields[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
    }

    mutating func text(_ key: String) -> String? { fields.removeValue(forKey: key) }

    /// A word without a value.
    mutating func isSet(_ key: String) throws(VMMError) -> Bool {
        guard let value = fields.removeValue(forKey: key) else { return false }
        guard value.isEmpty else { throw .badValue(flag: flag, value: text) }
        return true
    }

    /// `bandwidth=…` and `ops=…`, with `prefix` in front.
    mutating func limits(_ prefix: String = "") throws(VMMError) -> RateLimits {
        RateLimits(bandwidth: try limit(prefix + "bandwidth"), operations: try limit(prefix + "ops"))
    }

    /// `SIZE/BURST/MILLISECONDS`: ``RateLimit``.
    private mutating func limit(_ key: String) throws(VMMError) -> RateLimit? {
        guard let value = fields.removeValue(forKey: key) else { return nil }
        guard let limit = RateLimit(value) else { throw .badValue(flag: flag, value: text) }
        return limit
    }

    func finish() throws(VMMError) {
        guard fields.isEmpty else { throw .badValue(flag: flag, value: text) }
    }
}

extension RateLimit {
    /// `SIZE/BURST/MILLISECONDS`; nil where it is not that.
    init?(_ text: some StringProtocol) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { FlagReader.number($0) }
        guard numbers.count == 3, let size = numbers[0], let burst = numbers[1], let refill = numbers[2],
            size > 0, (1...86_400_000).contains(refill)
        else { return nil }
        self.init(size: size, burst: burst, refill: .milliseconds(Int64(refill)))
    }
}
