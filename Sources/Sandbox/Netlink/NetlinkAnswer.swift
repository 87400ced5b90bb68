// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// What a datagram of the kernel's holds, as ``RouteSocket`` reads it: for bytes that came by another way.
public enum NetlinkAnswer {
    /// Interfaces in an answer to the request numbered `sequence`.
    public static func links(in datagram: [UInt8], to sequence: UInt32) throws(NetlinkError) -> [Link] {
        try read(datagram, sequence, MessageType.newLink, RouteSocket.link)
    }

    /// Addresses.
    public static func addresses(
        in datagram: [UInt8], to sequence: UInt32
    ) throws(NetlinkError) -> [InterfaceAddress] {
        try read(datagram, sequence, MessageType.newAddress, RouteSocket.address).map(\.value)
    }

    /// Routes, the kernel's own as well. Their interfaces have no names.
    public static func routes(in datagram: [UInt8], to sequence: UInt32) throws(NetlinkError) -> [NetworkRoute] {
        try read(datagram, sequence, MessageType.newRoute, RouteSocket.route).map(\.route)
    }

    /// Rules.
    public static func rules(in datagram: [UInt8], to sequence: UInt32) throws(NetlinkError) -> [RoutingRule] {
        try read(datagram, sequence, MessageType.newRule, RouteSocket.rule)
    }

    /// Permanent neighbours.
    public static func neighbours(
        in datagram: [UInt8], to sequence: UInt32
    ) throws(NetlinkError) -> [NetworkNeighbour] {
        try read(datagram, sequence, MessageType.newNeighbour, RouteSocket.neighbour).map(\.value)
    }

    /// Where filters redirect to; nil for those that are none of ours.
    public static func redirects(in datagram: [UInt8], to sequence: UInt32) throws(NetlinkError) -> [UInt32?] {
        try read(datagram, sequence, MessageType.newFilter, RouteSocket.target)
    }

    private static func read<Value>(
        _ datagram: [UInt8], _ sequence: UInt32, _ type: UInt16,
        _ decode: @escaping (Fields) throws(NetlinkError) -> Value?
    ) throws(NetlinkError) -> [Value] {
        var reply = Reply(
            to: Request(type, [], "read an answer"), sequence: sequence, type: type, limit: RouteSocket.limit, decode)
        _ = try reply.take(datagram[...])
        return reply.values
    }
}
