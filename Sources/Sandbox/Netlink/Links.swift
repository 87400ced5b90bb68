// SPDX-License-Identifier: Apache-2.0
import Linux

/// A network interface, rtnetlink(7), ifinfomsg.
public struct Link: Hashable, Sendable {
    /// Its number in its namespace, from 1 on.
    public let index: UInt32
    /// Its name as the kernel has it: 1 to 15 bytes, of whatever encoding.
    public let nameBytes: [UInt8]
    /// Empty where it has none; six bytes in an Ethernet.
    public let hardwareAddress: [UInt8]
    /// Bytes.
    public let mtu: UInt32
    /// IFF_ bits of netdevice(7).
    public let flags: UInt32
    /// What made it, as `veth`; empty for a device of hardware, and for loopback.
    public let kind: String
    /// ARPHRD_: 1 for an Ethernet, 772 for loopback, 65534 for none.
    public let type: UInt16

    /// Its name, with U+FFFD where it is no UTF-8.
    public var name: String { String(decoding: nameBytes, as: UTF8.self) }
    /// Whether ``name`` is the kernel's, byte by byte.
    public var hasTextualName: Bool { name.utf8.elementsEqual(nameBytes) }
    /// IFF_UP.
    public var isUp: Bool { flags & 0x1 != 0 }
    /// IFF_LOOPBACK.
    public var isLoopback: Bool { flags & 0x8 != 0 }
    /// IFF_NOARP.
    public var hasNoARP: Bool { flags & 0x80 != 0 }
    /// ARPHRD_ETHER.
    public var isEthernet: Bool { type == 1 && hardwareAddress.count == 6 }

    init?(_ message: Fields) {
        guard let type: UInt16 = message.number(2), let index: UInt32 = message.number(4), index > 0,
            let flags: UInt32 = message.number(8), let attributes = message.attributes(from: 16),
            let name = attributes.text(3), !name.isEmpty, name.count < 16
        else { return nil }
        self.type = type
        self.index = index
        self.flags = flags
        nameBytes = name
        hardwareAddress = Array((attributes[1] ?? []).prefix(32))
        mtu = attributes.number(4) ?? 0
        let kind = attributes.nested(18)?.text(1) ?? []
        self.kind = String(decoding: kind.prefix(64), as: UTF8.self)
    }
}

extension RouteSocket {
    /// As many interfaces are read.
    public static let linkLimit = 1024

    private static let upFlag: UInt32 = 1
    private static let listing = "list the network interfaces"

    /// All interfaces, by their index.
    public func links() throws(NetlinkError) -> [Link] {
        var request = Request(MessageType.getLink, .dump, Self.listing)
        request.body.addLink(0)
        // Without the counters: IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS.
        request.body.attribute(29, UInt32(8))
        return try ask(request, type: MessageType.newLink, limit: Self.linkLimit, Self.link).sorted {
            $0.index < $1.index
        }
    }

    /// The interface of this name; nil where there is none.
    public func link(named name: String) throws(NetlinkError) -> Link? {
        var request = Request(MessageType.getLink, [], "look at the network interface", name)
        request.body.addLink(0)
        request.body.attribute(3, name)
        do {
            return try ask(request, type: MessageType.newLink, limit: 1, Self.link).first
        } catch .refused(_, _, .noSuchDevice, _) {
            return nil
        }
    }

    static func link(_ message: Fields) throws(NetlinkError) -> Link? {
        guard let link = Link(message) else { throw .malformed(operation: listing) }
        return link
    }

    /// Names it; it must be down, before Linux 6.2. `EEXIST` where another has the name.
    public func setName(_ name: String, of index: UInt32) throws(NetlinkError) {
        try set(index, "name the network interface", name) { $0.attribute(3, name) }
    }

    /// `EBUSY` where it is up, and of a kind that must be down for this.
    public func setHardwareAddress(_ address: [UInt8], of index: UInt32) throws(NetlinkError) {
        let text = address.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
        try set(index, "set the hardware address", text) { $0.attribute(1, address) }
    }

    /// In bytes.
    public func setMTU(_ mtu: UInt32, of index: UInt32) throws(NetlinkError) {
        try set(index, "set the MTU", "\(mtu)") { $0.attribute(4, mtu) }
    }

    /// Sets it up, or down.
    public func setUp(_ isUp: Bool, of index: UInt32) throws(NetlinkError) {
        try set(index, isUp ? "set up" : "set down", "network interface \(index)", flags: isUp ? Self.upFlag : 0)
    }

    /// The kernel gives it no IPv6 link-local address of its own when it comes up, and so asks for no routers on it.
    /// A kernel without IPv6 does so anyway.
    public func setNoLinkLocalAddress(of index: UInt32) throws(NetlinkError) {
        do throws(NetlinkError) {
            try set(index, "keep IPv6 from", "network interface \(index)") {
                // IFLA_AF_SPEC, AF_INET6, IFLA_INET6_ADDR_GEN_MODE: IN6_ADDR_GEN_MODE_NONE.
                $0.nested(26) { $0.nested(10) { $0.attribute(8, UInt8(1)) } }
            }
        } catch .refused(_, _, Errno(rawValue: 97), _) {}  // EAFNOSUPPORT
    }

    private func set(
        _ index: UInt32, _ operation: String, _ operand: String, flags: UInt32? = nil,
        _ fill: (inout MessageBody) -> Void = { _ in }
    ) throws(NetlinkError) {
        var request = Request(MessageType.setLink, [], operation, operand)
        request.body.addLink(index, flags: flags ?? 0, change: flags == nil ? 0 : Self.upFlag)
        fill(&request.body)
        try change(request)
    }
}

extension MessageBody {
    /// struct ifinfomsg.
    fileprivate mutating func addLink(_ index: UInt32, flags: UInt32 = 0, change: UInt32 = 0) {
        add(UInt32(0))
        add(index)
        add(flags)
        add(change)
    }
}
