// SPDX-License-Identifier: Apache-2.0
/// A sandbox's network as its namespace on the host has it, and as its guest is to have it.
public struct NetworkPlan: Codable, Hashable, Sendable {
    /// Without loopback, in the order in which the namespace had them.
    public var interfaces: [NetworkInterface] = []
    /// Those that the kernel does not make by itself, in the order in which they can be added: what a gateway is reached by
    /// comes before it.
    public var routes: [NetworkRoute] = []
    /// Those beside the three that every namespace has.
    public var rules: [RoutingRule] = []

    /// A network without interfaces.
    public init() {}
}

/// One network interface.
public struct NetworkInterface: Codable, Hashable, Sendable {
    /// The machine's network device that is this interface in the guest: its place among the machine's NIC slots.
    public var slot: UInt32
    /// 1 to 15 bytes.
    public var name: String
    /// The Ethernet address: six bytes.
    public var hardwareAddress: [UInt8]
    /// Bytes, 68 to 65521.
    public var mtu: UInt32
    /// Whether it is up.
    public var isUp = true
    /// IPv4 and IPv6, in their order; link-local ones that the kernel made too.
    public var addresses: [InterfaceAddress] = []
    /// Those that are permanent; the others are found anew.
    public var neighbours: [NetworkNeighbour] = []

    /// An interface without addresses.
    public init(slot: UInt32, name: String, hardwareAddress: [UInt8], mtu: UInt32) {
        self.slot = slot
        self.name = name
        self.hardwareAddress = hardwareAddress
        self.mtu = mtu
    }
}

/// An IPv4 or IPv6 address, in network byte order.
public struct IPAddress: Codable, Hashable, Sendable {
    /// Four bytes or sixteen.
    public let bytes: [UInt8]

    /// nil where there are neither four bytes nor sixteen.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// 32 or 128.
    public var bitCount: UInt8 { UInt8(bytes.count * 8) }
    /// Of version 6, and not 4.
    public var isVersion6: Bool { bytes.count == 16 }
}

/// An address and how many of its leading bits count.
public struct IPPrefix: Codable, Hashable, Sendable {
    /// The whole address, whatever its prefix.
    public let address: IPAddress
    /// 0 to 32, or to 128.
    public let length: UInt8

    /// nil where `length` is more than the address has bits.
    public init?(_ address: IPAddress, length: UInt8) {
        guard length <= address.bitCount else { return nil }
        self.address = address
        self.length = length
    }
}

/// An address of an interface, rtnetlink(7), ifaddrmsg.
public struct InterfaceAddress: Codable, Hashable, Sendable {
    /// The interface's own address, and the network it is in.
    public var local: IPPrefix
    /// The other end of a point-to-point address, in whose network the prefix counts then.
    public var peer: IPAddress?
    /// IPv4's.
    public var broadcast: IPAddress?
    /// RT_SCOPE_: 0 universe, 253 link, 254 host.
    public var scope: UInt8 = 0
    /// The kernel is to make the route to the network by itself, as it does of its own accord; false: IFA_F_NOPREFIXROUTE.
    public var hasPrefixRoute = true

    /// An address of the whole network's scope.
    public init(local: IPPrefix) { self.local = local }
}

/// A route, rtnetlink(7), rtmsg.
public struct NetworkRoute: Codable, Hashable, Sendable {
    /// Where it leads; of length 0: everywhere.
    public var destination: IPPrefix
    /// The next hop, of the destination's version or, for IPv4, of version 6; nil: the link itself.
    public var gateway: IPAddress?
    /// The name of the interface it leaves by; empty for a route that leads nowhere (unreachable, blackhole, prohibit).
    public var interface: String
    /// The address that is preferred as the sender's.
    public var source: IPAddress?
    /// Of the lowest first; 0: the kernel's default.
    public var priority: UInt32 = 0
    /// The routing table: 254 is the main one.
    public var table: UInt32 = 254
    /// RT_SCOPE_, as an address has it.
    public var scope: UInt8 = 0
    /// RTN_: 1 unicast, 6 blackhole, 7 unreachable, 8 prohibit.
    public var type: UInt8 = 1
    /// RTPROT_: who made it, 3 boot, 4 static.
    public var protocolNumber: UInt8 = 3
    /// The gateway need not be reachable by a route (RTNH_F_ONLINK).
    public var isOnLink = false
    /// Bytes; 0: the interface's.
    public var mtu: UInt32 = 0

    /// A route of the main table.
    public init(destination: IPPrefix, gateway: IPAddress? = nil, interface: String) {
        self.destination = destination
        self.gateway = gateway
        self.interface = interface
    }
}

/// A rule by which a routing table is chosen, rtnetlink(7), fib_rule_hdr: what CNI's plugins make, no more.
public struct RoutingRule: Codable, Hashable, Sendable {
    /// Of version 6, and not 4.
    public var isVersion6: Bool
    /// Looked at in this order.
    public var priority: UInt32
    /// The routing table.
    public var table: UInt32
    /// nil: any.
    public var source: IPPrefix?
    /// nil: any.
    public var destination: IPPrefix?
    /// The interface that a packet came by; nil: any.
    public var inputInterface: String?
    /// The interface that a socket is bound to; nil: any.
    public var outputInterface: String?
    /// The firewall's mark; 0 with mask 0: any.
    public var mark: UInt32 = 0
    /// Which of the mark's bits count.
    public var mask: UInt32 = 0

    /// A rule for every packet.
    public init(isVersion6: Bool, priority: UInt32, table: UInt32) {
        self.isVersion6 = isVersion6
        self.priority = priority
        self.table = table
    }
}

/// The hardware address of another station, which is not asked for.
public struct NetworkNeighbour: Codable, Hashable, Sendable {
    /// The station's.
    public var address: IPAddress
    /// Six bytes.
    public var hardwareAddress: [UInt8]

    /// A permanent entry.
    public init(address: IPAddress, hardwareAddress: [UInt8]) {
        self.address = address
        self.hardwareAddress = hardwareAddress
    }
}
