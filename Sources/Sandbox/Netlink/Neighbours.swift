// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

extension RouteSocket {
    private static let listing = "list the neighbours"
    /// NUD_PERMANENT.
    private static let permanent: UInt16 = 0x80

    /// The permanent neighbours of each interface, by its index.
    public func neighbours() throws(NetlinkError) -> [UInt32: [NetworkNeighbour]] {
        var request = Request(MessageType.getNeighbour, .dump, Self.listing)
        for _ in 0..<3 { request.body.add(UInt32(0)) }
        let all = try ask(request, type: MessageType.newNeighbour, limit: Self.limit, Self.neighbour)
        return Dictionary(grouping: all) { $0.index }.mapValues { $0.map(\.value) }
    }

    static func neighbour(_ message: Fields) throws(NetlinkError) -> Indexed<NetworkNeighbour>? {
        guard let family: UInt8 = message.number(0), let index: UInt32 = message.number(4),
            let state: UInt16 = message.number(8), let attributes = message.attributes(from: 12)
        else { throw .malformed(operation: listing) }
        // A bridge lists its stations by a family of its own, and by hardware addresses alone.
        guard let byteCount = Family.byteCount(family), state & permanent != 0, let hardware = attributes[2],
            hardware.count == 6
        else { return nil }
        guard let address = attributes.address(1), address.bytes.count == byteCount else {
            throw .malformed(operation: listing)
        }
        return Indexed(index: index, value: NetworkNeighbour(address: address, hardwareAddress: Array(hardware)))
    }

    /// Makes it a permanent neighbour, or its address another.
    public func replace(_ neighbour: NetworkNeighbour, on index: UInt32) throws(NetlinkError) {
        try change(neighbour, index, MessageType.newNeighbour, .put, "set the neighbour")
    }

    /// `ENOENT` where it is not there.
    public func remove(_ neighbour: NetworkNeighbour, from index: UInt32) throws(NetlinkError) {
        try change(neighbour, index, MessageType.deleteNeighbour, [], "remove the neighbour")
    }

    private func change(
        _ neighbour: NetworkNeighbour, _ index: UInt32, _ type: UInt16, _ flags: RequestFlags, _ operation: String
    ) throws(NetlinkError) {
        var request = Request(type, flags, operation, "\(neighbour.address)")
        request.body.add(UInt32(Family.of(neighbour.address)))
        request.body.add(index)
        request.body.add(Self.permanent)
        request.body.add(UInt16(0))
        request.body.attribute(1, neighbour.address.bytes)
        request.body.attribute(2, neighbour.hardwareAddress)
        try change(request)
    }
}
