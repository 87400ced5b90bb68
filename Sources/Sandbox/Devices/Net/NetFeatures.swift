import Linux

/// Feature bits of the device, virtio 1.2 §5.1.3. GUEST: what the driver takes as it is; HOST: what it sends so.
public enum NetFeature {
    public static let checksum: UInt64 = 1 << 0
    public static let guestChecksum: UInt64 = 1 << 1
    public static let mtu: UInt64 = 1 << 3
    public static let address: UInt64 = 1 << 5
    public static let guestTCP4: UInt64 = 1 << 7
    public static let guestTCP6: UInt64 = 1 << 8
    public static let guestECN: UInt64 = 1 << 9
    public static let hostTCP4: UInt64 = 1 << 11
    public static let hostTCP6: UInt64 = 1 << 12
    public static let hostECN: UInt64 = 1 << 13
    public static let mergeableBuffers: UInt64 = 1 << 15
    public static let status: UInt64 = 1 << 16
    public static let guestUDP4: UInt64 = 1 << 54
    public static let guestUDP6: UInt64 = 1 << 55
    public static let hostUDP: UInt64 = 1 << 56

    /// Frames as long as segmentation makes them come only to who asked for one of these.
    static let guestSegmentation = guestTCP4 | guestTCP6 | guestUDP4 | guestUDP6

    private static let pairs: [(UInt64, TapInterface.Offloads)] = [
        (guestChecksum, .checksum), (guestTCP4, .tcp4), (guestTCP6, .tcp6), (guestECN, .tcpECN),
        (guestUDP4, .udp4), (guestUDP6, .udp6),
    ]

    /// What the kernel may leave to the driver that agreed on `features`; without checksums nothing.
    static func offloads(_ features: UInt64) -> TapInterface.Offloads {
        guard features & guestChecksum != 0 else { return [] }
        return pairs.reduce(into: []) { if features & $1.0 != 0 { $0.insert($1.1) } }
    }

    /// What can be offered on a kernel that knows `offloads`.
    static func offered(_ offloads: TapInterface.Offloads) -> UInt64 {
        var features = pairs.reduce(0) { offloads.contains($1.1) ? $0 | $1.0 : $0 }
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
