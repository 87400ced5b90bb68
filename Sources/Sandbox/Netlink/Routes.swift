// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// RTPROT_: who made a route.
enum RouteMaker {
    static let redirect: UInt8 = 1
    static let kernel: UInt8 = 2
    static let advertisement: UInt8 = 9
}

/// A route as the kernel lists it.
struct ListedRoute: Hashable, Sendable {
    var route: NetworkRoute
    /// 0: none.
    let interface: UInt32
    var isKernels: Bool { route.protocolNumber == RouteMaker.kernel }
}

extension RouteSocket {
    private static let listing = "list the routes"

    /// What routes there are: those that somebody made, and to which addresses' networks the kernel made some.
    public struct Routes: Sendable {
        /// In an order in which they can be added: gateways are reached by what comes before them. Left out is what the kernel
        /// makes by itself, of addresses, redirects and routers' advertisements.
        public let added: [NetworkRoute]
        /// The kernel's own in the main table, which it makes for the networks that addresses are in.
        let kernels: Set<KernelRoute>

        /// Whether the kernel has a route, by itself, to the network that this address of the interface is in.
        public func hasKernelRoute(to address: InterfaceAddress, of index: UInt32) -> Bool {
            let prefix = IPPrefix(address.peer ?? address.local.address, length: address.local.length)
            return prefix.map { kernels.contains(KernelRoute(destination: $0.network, interface: index)) } ?? false
        }
    }

    struct KernelRoute: Hashable, Sendable {
        let destination: IPPrefix
        let interface: UInt32
    }

    /// The routes of all tables but the local one. Interfaces are named as in `links`; what leads by another is left out.
    ///
    /// - Throws: ``NetlinkError/unsupported(what:property:)`` for one with several ways, an encapsulation, a type of service or a
    ///   network of senders.
    public func routes(by links: [Link]) throws(NetlinkError) -> Routes {
        var request = Request(MessageType.getRoute, .dump, Self.listing)
        for _ in 0..<3 { request.body.add(UInt32(0)) }
        let all = try ask(request, type: MessageType.newRoute, limit: Self.limit, Self.route)
        let names = Dictionary(links.map { ($0.index, $0.name) }) { first, _ in first }
        let kernels = all.filter { $0.isKernels && $0.route.table == 254 }.map {
            KernelRoute(destination: $0.route.destination, interface: $0.interface)
        }
        let added = all.compactMap { listed -> NetworkRoute? in
            guard !listed.isKernels else { return nil }
            var route = listed.route
            if listed.interface != 0 {
                guard let name = names[listed.interface] else { return nil }
                route.interface = name
            }
            return route
        }
        return Routes(
            added: added.filter { $0.gateway == nil } + added.filter { $0.gateway != nil }, kernels: Set(kernels))
    }

    static func route(_ message: Fields) throws(NetlinkError) -> ListedRoute? {
        guard let family: UInt8 = message.number(0), let length: UInt8 = message.number(1),
            let senderLength: UInt8 = message.number(2), let service: UInt8 = message.number(3),
            let shortTable: UInt8 = message.number(4), let maker: UInt8 = message.number(5),
            let scope: UInt8 = message.number(6), let type: UInt8 = message.number(7),
            let flags: UInt32 = message.number(8), let attributes = message.attributes(from: 12)
        else { throw .malformed(operation: listing) }
        guard let byteCount = Family.byteCount(family) else { return nil }
        let table = attributes.number(15) ?? UInt32(shortTable)
        // RTM_F_CLONED; RT_TABLE_LOCAL; unicast, blackhole, unreachable and prohibit are the types that people make.
        guard flags & 0x200 == 0, table != 255, [1, 6, 7, 8].contains(type), maker != RouteMaker.redirect,
            maker != RouteMaker.advertisement
        else { return nil }
        let zero = IPAddress([UInt8](repeating: 0, count: byteCount))
        guard let address = attributes[1] == nil ? zero : attributes.address(1), address.bytes.count == byteCount,
            let destination = IPPrefix(address, length: length)
        else { throw .malformed(operation: listing) }
        var route = NetworkRoute(destination: destination, interface: "")
        route.table = table
        route.scope = scope
        route.type = type
        route.protocolNumber = maker
        route.priority = attributes.number(6) ?? 0
        route.source = attributes.address(7)
        route.mtu = attributes.nested(8)?.number(2) ?? 0
        route.isOnLink = flags & 4 != 0
        route.gateway = attributes.address(5)
        // RTA_VIA has the family in front.
        if route.gateway == nil, let via = attributes[18] { route.gateway = IPAddress(Array(via.dropFirst(2))) }
        // IPv6 lists loopback for those that lead nowhere.
        let listed = ListedRoute(route: route, interface: type == 1 ? attributes.number(4) ?? 0 : 0)
        if listed.isKernels { return listed }
        for (isSo, property) in [
            (attributes[9] != nil, "more than one way"), (attributes[22] != nil, "an encapsulation"),
            (service != 0, "a type of service"), (senderLength != 0, "a network of senders"),
        ] where isSo { throw .unsupported(what: "route to \(destination)", property: property) }
        return listed
    }

    /// Adds a route by the interface of this index; nil for one that leads nowhere. `EEXIST` where there is one to the same
    /// destination, of the same priority.
    public func add(_ route: NetworkRoute, by index: UInt32?) throws(NetlinkError) {
        try change(route, index, MessageType.newRoute, .add, "add the route")
    }

    /// As ``add(_:by:)``; takes the place of the one there is.
    public func replace(_ route: NetworkRoute, by index: UInt32?) throws(NetlinkError) {
        try change(route, index, MessageType.newRoute, .put, "set the route")
    }

    /// `ESRCH` where it is not there.
    public func remove(_ route: NetworkRoute, by index: UInt32?) throws(NetlinkError) {
        try change(route, index, MessageType.deleteRoute, [], "remove the route")
    }

    private func change(
        _ route: NetworkRoute, _ index: UInt32?, _ type: UInt16, _ flags: RequestFlags, _ operation: String
    ) throws(NetlinkError) {
        let destination = route.destination
        let isVersion6 = destination.address.isVersion6
        var request = Request(type, flags, operation, "to \(destination)")
        for byte in [
            Family.of(isVersion6: isVersion6), destination.length, 0, 0,
            route.table < 256 ? UInt8(route.table) : 0, route.protocolNumber, route.scope, route.type,
        ] { request.body.add(byte) }
        request.body.add(UInt32(route.isOnLink ? 4 : 0))
        request.body.attribute(15, route.table)
        if destination.length > 0 { request.body.attribute(1, destination.network.address.bytes) }
        if let index { request.body.attribute(4, index) }
        if let gateway = route.gateway {
            if gateway.isVersion6 == isVersion6 {
                request.body.attribute(5, gateway.bytes)
            } else {
                request.body.attribute(18, [Family.of(gateway), 0] + gateway.bytes)
            }
        }
        if let source = route.source { request.body.attribute(7, source.bytes) }
        if route.priority != 0 { request.body.attribute(6, route.priority) }
        if route.mtu != 0 { request.body.nested(8) { $0.attribute(2, route.mtu) } }
        try change(request)
    }
}
