// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// `--disk fd=N,id=NAME[,readonly][,bandwidth=SIZE/BURST/MS][,ops=SIZE/BURST/MS]`, where the descriptor and its number
/// are the program's own.
extension DiskPlan: ArgumentList {
    /// What is required is still to be set.
    public init() { self.init(serial: "", descriptor: -1, isReadOnly: false) }

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
        try fields.descriptor("fd", &descriptor)
        // What a guest can read of it, whatever the plan's own rule.
        try fields.value(
            "id", &serial,
            .text { (1...20).contains($0.utf8.count) && $0.utf8.allSatisfy { (0x21..<0x7f).contains($0) } })
        try fields.isSet("readonly", &isReadOnly)
        try limits.list(&fields)
    }
}

/// `--disk …,vhost-fd=N`: a disk of QEMU's machine.
public struct ServedDiskArguments: ArgumentList {
    /// The disk itself.
    public var disk = DiskPlan()
    /// Connected to QEMU's vhost-user-blk device.
    public var vhost: Int32 = -1

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
        try disk.list(&fields)
        try fields.descriptor("vhost-fd", &vhost)
    }
}

/// `--net [fd=N,]id=NAME,mac=XX:XX:XX:XX:XX:XX[,mtu=N][,{rx,tx}-{bandwidth,ops}=SIZE/BURST/MS]`
public struct NetworkArguments: ArgumentList {
    /// A tap, attached and with virtio-net's header switched on; nil for a slot, which is given one later.
    public var descriptor: Int32?
    /// 1 to 20 bytes.
    public var id = ""
    /// Six bytes.
    public var address: [UInt8] = []
    /// 68 to 65535 bytes, virtio 1.2 §5.1.4.1.
    public var mtu: UInt16?
    /// Of frames.
    public var limits = NetworkLimits()

    /// What is required is still to be set.
    public init() {}

    /// A device without a link.
    public init(slot: NetworkSlot) {
        id = slot.id
        address = slot.hardwareAddress
    }

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
        try fields.descriptor("fd", &descriptor)
        try fields.value("id", &id, .text(byteCount: 1...20))
        try fields.value("mac", &address, .stationAddress)
        try fields.value("mtu", &mtu, .number(68...65535))
        try limits.list(&fields)
    }
}

/// `--net …,vhost-listen-fd=N`: a network of QEMU's machine.
public struct ServedNetworkArguments: ArgumentList {
    /// The network itself.
    public var network = NetworkArguments()
    /// Where QEMU's vhost-user netdev connects to, once.
    public var listener: Int32 = -1

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
        try network.list(&fields)
        try fields.descriptor("vhost-listen-fd", &listener)
    }
}

/// What an order to attach a tap to a network says of it: `mtu=N`.
public struct AttachArguments: ArgumentList {
    /// 68 to 65535 bytes, of the frames that come.
    public var mtu: UInt16?

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
        try fields.value("mtu", &mtu, .number(68...65535))
    }
}

/// The limits of both directions, as the guest sees them.
public struct NetworkLimits: ArgumentList {
    /// To the guest.
    public var receive = RateLimits.unlimited
    /// From the guest.
    public var transmit = RateLimits.unlimited

    /// What is required is still to be set.
    public init() {}

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) {
        try receive.list(&fields, prefix: "rx-")
        try transmit.list(&fields, prefix: "tx-")
    }
}

extension RateLimits: ArgumentList {
    /// No limits.
    public init() { self = .unlimited }

    /// Lists the flags.
    public mutating func list(_ fields: inout ArgumentCoder) throws(ArgumentError) { try list(&fields, prefix: "") }

    mutating func list(_ fields: inout ArgumentCoder, prefix: String) throws(ArgumentError) {
        try fields.value(prefix + "bandwidth", &bandwidth, .rateLimit)
        try fields.value(prefix + "ops", &operations, .rateLimit)
    }
}
