// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

extension RouteSocket {
    private static let listing = "list the routing rules"

    /// The rules of IPv4 and IPv6 in their order, without those that every namespace begins with.
    ///
    /// - Throws: ``NetlinkError/unsupported(what:property:)`` for one that does not name a table, or looks at more than
    ///   addresses, interfaces and the mark.
    public func rules() throws(NetlinkError) -> [RoutingRule] {
        var request = Request(MessageType.getRule, .dump, Self.listing)
        for _ in 0..<3 { request.body.add(UInt32(0)) }
        return try ask(request, type: MessageType.newRule, limit: Self.limit, Self.rule)
    }

    static func rule(_ message: Fields) throws(NetlinkError) -> RoutingRule? {
        guard let family: UInt8 = message.number(0), let destinationLength: UInt8 = message.number(1),
            let sourceLength: UInt8 = message.number(2), let service: UInt8 = message.number(3),
            let shortTable: UInt8 = message.number(4), let action: UInt8 = message.number(7),
            let flags: UInt32 = message.number(8), let attributes = message.attributes(from: 12)
        else { throw .malformed(operation: listing) }
        // Multicast routing has families of its own.
        guard let byteCount = Family.byteCount(family) else { return nil }
        var rule = RoutingRule(
            isVersion6: byteCount == 16, priority: attributes.number(6) ?? 0,
            table: attributes.number(15) ?? UInt32(shortTable))
        for (type, length, path) in [
            (2, sourceLength, \RoutingRule.source), (1, destinationLength, \RoutingRule.destination),
        ] as [(UInt16, UInt8, WritableKeyPath<RoutingRule, IPPrefix?>)] where attributes[type] != nil {
            guard let address = attributes.address(type), address.bytes.count == byteCount,
                let prefix = IPPrefix(address, length: length)
            else { throw .malformed(operation: listing) }
            rule[keyPath: path] = prefix
        }
        rule.inputInterface = attributes.text(3).map { String(decoding: $0, as: UTF8.self) }
        rule.outputInterface = attributes.text(17).map { String(decoding: $0, as: UTF8.self) }
        rule.mark = attributes.number(10) ?? 0
        rule.mask = attributes.number(16) ?? 0
        for (isSo, property) in [
            (action != 1, "an action other than a table"), (flags & 2 != 0, "not"), (service != 0, "a type of service"),
            (attributes.number(14, as: UInt32.self) ?? .max != .max, "suppressing routes"),
            (attributes.number(13, as: UInt32.self) ?? .max != .max, "suppressing interfaces"),
            (attributes.number(19, as: UInt8.self) ?? 0 != 0, "l3mdev"), (attributes[20] != nil, "users"),
            (attributes[22] != nil, "a protocol"), (attributes[23] != nil || attributes[24] != nil, "ports"),
            (attributes.number(12, as: UInt64.self) ?? 0 != 0, "a tunnel"),
        ] where isSo { throw .unsupported(what: "routing rule \(rule.priority)", property: property) }
        return isOfEveryNamespace(rule) ? nil : rule
    }

    private static func isOfEveryNamespace(_ rule: RoutingRule) -> Bool {
        [(0, 255), (32766, 254), (32767, 253)].contains {
            rule == RoutingRule(isVersion6: rule.isVersion6, priority: $0.0, table: $0.1)
        }
    }

    /// `EEXIST` where it is there.
    public func add(_ rule: RoutingRule) throws(NetlinkError) {
        try change(rule, MessageType.newRule, .add, "add the routing rule")
    }

    /// `ENOENT` where it is not there.
    public func remove(_ rule: RoutingRule) throws(NetlinkError) {
        try change(rule, MessageType.deleteRule, [], "remove the routing rule")
    }

    private func change(
        _ rule: RoutingRule, _ type: UInt16, _ flags: RequestFlags, _ operation: String
    ) throws(NetlinkError) {
        var request = Request(type, flags, operation, "\(rule.priority)")
        // FR_ACT_TO_TBL.
        for byte in [
            Family.of(isVersion6: rule.isVersion6), rule.destination?.length ?? 0, rule.source?.length ?? 0, 0,
            rule.table < 256 ? UInt8(rule.table) : 0, 0, 0, 1,
        ] { request.body.add(byte) }
        request.body.add(UInt32(0))
        request.body.attribute(6, rule.priority)
        request.body.attribute(15, rule.table)
        if let source = rule.source { request.body.attribute(2, source.address.bytes) }
        if let destination = rule.destination { request.body.attribute(1, destination.address.bytes) }
        if let name = rule.inputInterface { request.body.attribute(3, name) }
        if let name = rule.outputInterface { request.body.attribute(17, name) }
        if rule.mark != 0 || rule.mask != 0 {
            request.body.attribute(10, rule.mark)
            request.body.attribute(16, rule.mask)
        }
        try change(request)
    }
}
