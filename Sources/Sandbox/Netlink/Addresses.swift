// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// IFA_F_ flags of an address.
enum AddressFlags {
    static let temporary: UInt32 = 0x01
    static let noDuplicateDetection: UInt32 = 0x02
    static let duplicate: UInt32 = 0x08
    static let noPrefixRoute: UInt32 = 0x200
}

extension RouteSocket {
    /// As many addresses, routes, rules and neighbours are read, of each.
    public static let limit = 65536

    private static let listingAddresses = "list the addresses"

    /// The addresses of each interface, by its index, in their order. Left out are IPv6's temporary ones, which are made anew,
    /// and those that another station has.
    public func addresses() throws(NetlinkError) -> [UInt32: [InterfaceAddress]] {
        var request = Request(MessageType.getAddress, .dump, Self.listingAddresses)
        request.body.addAddress(family: 0, length: 0, scope: 0, index: 0)
        let all = try ask(request, type: MessageType.newAddress, limit: Self.limit, Self.address)
        return Dictionary(grouping: all) { $0.index }.mapValues { $0.map(\.value) }
    }

    static func address(_ message: Fields) throws(NetlinkError) -> Indexed<InterfaceAddress>? {
        guard let family: UInt8 = message.number(0), let length: UInt8 = message.number(1),
            let flagsOfHeader: UInt8 = message.number(2), let scope: UInt8 = message.number(3),
            let index: UInt32 = message.number(4), let attributes = message.attributes(from: 8)
        else { throw .malformed(operation: listingAddresses) }
        guard let byteCount = Family.byteCount(family) else { return nil }
        let flags = attributes.number(8) ?? UInt32(flagsOfHeader)
        if byteCount == 16, flags & (AddressFlags.temporary | AddressFlags.duplicate) != 0 { return nil }
        // IFA_ADDRESS is the other end where there is an IFA_LOCAL that differs.
        guard let other = attributes.address(1) ?? attributes.address(2), other.bytes.count == byteCount,
            let local = IPPrefix(attributes.address(2) ?? other, length: length),
            local.address.bytes.count == byteCount
        else { throw .malformed(operation: listingAddresses) }
        var address = InterfaceAddress(local: local)
        address.scope = scope
        if other != local.address { address.peer = other }
        if let broadcast = attributes.address(4), broadcast.bytes.count == byteCount { address.broadcast = broadcast }
        address.hasPrefixRoute = flags & AddressFlags.noPrefixRoute == 0
        return Indexed(index: index, value: address)
    }

    /// Gives the interface an address. One of IPv6 is not looked for among the other stations first. `EEXIST` where it is there.
    public func add(_ address: InterfaceAddress, to index: UInt32) throws(NetlinkError) {
        try change(address, index, MessageType.newAddress, .add, "add the address")
    }

    /// As ``add(_:to:)``; one that is there changes.
    public func replace(_ address: InterfaceAddress, of index: UInt32) throws(NetlinkError) {
        try change(address, index, MessageType.newAddress, .put, "set the address")
    }

    /// `EADDRNOTAVAIL` where it is not there.
    public func remove(_ address: InterfaceAddress, from index: UInt32) throws(NetlinkError) {
        try change(address, index, MessageType.deleteAddress, [], "remove the address")
    }

    private func change(
        _ address: InterfaceAddress, _ index: UInt32, _ type: UInt16, _ flags: RequestFlags, _ operation: String
    ) throws(NetlinkError) {
        let local = address.local.address
        var request = Request(type, flags, operation, "\(address.local)")
        request.body.addAddress(
            family: Family.of(local), length: address.local.length, scope: address.scope, index: index)
        request.body.attribute(2, local.bytes)
        request.body.attribute(1, (address.peer ?? local).bytes)
        if let broadcast = address.broadcast { request.body.attribute(4, broadcast.bytes) }
        request.body.attribute(
            8,
            (local.isVersion6 ? AddressFlags.noDuplicateDetection : 0)
                | (address.hasPrefixRoute ? 0 : AddressFlags.noPrefixRoute))
        try change(request)
    }
}

/// Something of the interface with this index.
struct Indexed<Value: Hashable & Sendable>: Hashable, Sendable {
    let index: UInt32
    let value: Value
}

/// AF_INET and AF_INET6, and the bytes of their addresses.
enum Family {
    static func byteCount(_ family: UInt8) -> Int? {
        switch family {
        case 2: 4
        case 10: 16
        default: nil
        }
    }

    static func of(_ address: IPAddress) -> UInt8 { of(isVersion6: address.isVersion6) }
    static func of(isVersion6: Bool) -> UInt8 { isVersion6 ? 10 : 2 }
}

extension MessageBody {
    /// struct ifaddrmsg.
    fileprivate mutating func addAddress(family: UInt8, length: UInt8, scope: UInt8, index: UInt32) {
        for byte in [family, length, 0, scope] { add(byte) }
        add(index)
    }
}
