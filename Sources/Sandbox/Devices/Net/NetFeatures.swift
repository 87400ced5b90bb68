// SPDX-License-Identifier: Apache-2.0
import Linux

/// Feature bits of the device, virtio 1.2 §5.1.3. GUEST: what the driver takes as it is; HOST: what it sends so.
public enum NetFeature {
    /// VIRTIO_NET_F_CSUM: the device takes frames with partial checksums.
    public static let checksum: UInt64 = 1 << 0
    /// VIRTIO_NET_F_GUEST_CSUM: the driver takes them.
    public static let guestChecksum: UInt64 = 1 << 1
    /// VIRTIO_NET_F_MTU: the configuration tells the MTU.
    public static let mtu: UInt64 = 1 << 3
    /// VIRTIO_NET_F_MAC: the configuration tells the address.
    public static let address: UInt64 = 1 << 5
    /// VIRTIO_NET_F_GUEST_TSO4: the driver takes large TCP segments over IPv4.
    public static let guestTCP4: UInt64 = 1 << 7
    /// VIRTIO_NET_F_GUEST_TSO6: over IPv6.
    public static let guestTCP6: UInt64 = 1 << 8
    /// VIRTIO_NET_F_GUEST_ECN: with congestion notification.
    public static let guestECN: UInt64 = 1 << 9
    /// VIRTIO_NET_F_HOST_TSO4: the device takes large TCP segments over IPv4.
    public static let hostTCP4: UInt64 = 1 << 11
    /// VIRTIO_NET_F_HOST_TSO6: over IPv6.
    public static let hostTCP6: UInt64 = 1 << 12
    /// VIRTIO_NET_F_HOST_ECN: with congestion notification.
    public static let hostECN: UInt64 = 1 << 13
    /// VIRTIO_NET_F_MRG_RXBUF: a frame may take several of the driver's buffers.
    public static let mergeableBuffers: UInt64 = 1 << 15
    /// VIRTIO_NET_F_STATUS: the configuration tells whether the link is up.
    public static let status: UInt64 = 1 << 16
    /// VIRTIO_NET_F_GUEST_USO4: the driver takes large UDP packets over IPv4.
    public static let guestUDP4: UInt64 = 1 << 54
    /// VIRTIO_NET_F_GUEST_USO6: over IPv6.
    public static let guestUDP6: UInt64 = 1 << 55
    /// VIRTIO_NET_F_HOST_USO: the device takes large UDP packets.
    public static let hostUDP: UInt64 = 1 << 56

    /// Frames as long as segmentation makes them come only to who asked for one of these.
    static let guestSegmentation = guestTCP4 | guestTCP6 | guestUDP4 | guestUDP6

    private static let pairs: [(feature: UInt64, offload: TapInterface.Offloads, name: String)] = [
        (guestChecksum, .checksum, "csum"), (guestTCP4, .tcp4, "tso4"), (guestTCP6, .tcp6, "tso6"),
        (guestECN, .tcpECN, "ecn"), (guestUDP4, .udp4, "uso4"), (guestUDP6, .udp6, "uso6"),
    ]

    /// What every kernel's taps can leave to the driver: what is offered before there is one.
    static let offloadsOfAnyTap: TapInterface.Offloads = [.checksum, .tcp4, .tcp6, .tcpECN]

    /// For messages.
    static func names(of offloads: TapInterface.Offloads) -> String {
        pairs.filter { offloads.contains($0.offload) }.map(\.name).joined(separator: ", ")
    }

    /// What the kernel may leave to the driver that agreed on `features`; without checksums nothing.
    static func offloads(_ features: UInt64) -> TapInterface.Offloads {
        guard features & guestChecksum != 0 else { return [] }
        return pairs.reduce(into: []) { if features & $1.feature != 0 { $0.insert($1.offload) } }
    }

    /// What can be offered on a kernel that knows `offloads`.
    static func offered(_ offloads: TapInterface.Offloads) -> UInt64 {
        var features = pairs.reduce(0) { offloads.contains($1.offload) ? $0 | $1.feature : $0 }
        features |= checksum | hostTCP4 | hostTCP6 | hostECN
        if offloads.contains(.udp4) { features |= hostUDP }
        return features
    }
}

/// Sizes of frames, in bytes.
enum NetLimit {
    static let queueSize: UInt16 = 256
    /// struct virtio_net_hdr, virtio 1.2 §5.1.6, with num_buffers.
    static let header = 12
    /// Destination, source, type.
    static let ethernet = 14
    /// The longest: what IPv6 can say behind its own header, behind an Ethernet header with a VLAN tag.
    static let frame = 65535 + 40 + ethernet + 4
    /// Frames of one turn and direction.
    static let turn = 64
    /// What one readv(2) or writev(2) takes.
    static let vectors = 1024
}
