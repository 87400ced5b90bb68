// SPDX-License-Identifier: Apache-2.0

/// tc(8): what comes in by an interface goes out by another.
extension RouteSocket {
    /// What stands at an interface's entrance.
    public enum Entrance: Hashable, Sendable {
        case nothing
        /// A redirection of ours to this interface; 0 where that has gone.
        case redirect(to: UInt32)
        /// Something of somebody else's.
        case others
    }

    /// Where an ingress queue is, and its own number.
    private static let ingress: UInt32 = 0xffff_fff1
    static let handle: UInt32 = 0xffff_0000
    /// By which ours is known.
    private static let preference: UInt32 = 0xfc0e
    /// With ETH_P_ALL, in the network's order.
    private static let information: UInt32 = preference << 16 | 0x0300
    private static let looking = "look at the filters"

    /// From here on what comes in by `source` goes out by `target`, every frame of it, and reaches nothing else of `source`'s
    /// namespace. `EEXIST` where something stands at its entrance.
    public func redirect(from source: UInt32, to target: UInt32) throws(NetlinkError) {
        let operand = "from network interface \(source) to \(target)"
        var queue = Request(MessageType.newQueue, .add, "redirect", operand)
        queue.body.addTraffic(source, handle: Self.handle, parent: Self.ingress)
        queue.body.attribute(1, "ingress")
        // Both at once: nobody could tell whose a queue without a filter is.
        let failures = try change([queue, Self.filter(source, target, operand)])
        guard let failure = failures[0] ?? failures[1] else { return }
        if failures[0] == nil {
            try? removeRedirect(from: source)
        } else if failures[1] == nil {
            // The queue is somebody else's, made this moment. By this number the filter is ours.
            var filter = Request(MessageType.deleteFilter, [], "end the redirection", operand)
            filter.body.addTraffic(source, parent: Self.handle, information: Self.information)
            try? change(filter)
        }
        throw failure
    }

    private static func filter(_ source: UInt32, _ target: UInt32, _ operand: String) -> Request {
        var filter = Request(MessageType.newFilter, .add, "redirect", operand)
        // With a number of its own, so that there is no second one beside it.
        filter.body.addTraffic(source, handle: 1, parent: handle, information: information)
        filter.body.attribute(1, "u32")
        filter.body.nested(2) {
            // TCA_U32_SEL: TC_U32_TERMINAL, and no key at all, which matches the shortest frame too.
            $0.attribute(5, [1] + [UInt8](repeating: 0, count: 15))
            // TCA_U32_ACT, of one action.
            $0.nested(7) {
                $0.nested(1) {
                    $0.attribute(1, "mirred")
                    $0.nested(2) {
                        // struct tc_mirred: TC_ACT_STOLEN, TCA_EGRESS_REDIR.
                        $0.attribute(2, [0, 0, 4, 0, 0, 1, target].flatMap { (word: UInt32) in word.bytes })
                    }
                }
            }
        }
        return filter
    }

    /// Takes away what ``redirect(from:to:)`` made, or what else stands there. `ENODEV` where the interface is not there,
    /// `ENOENT` or `EINVAL` where nothing stands at its entrance.
    public func removeRedirect(from source: UInt32) throws(NetlinkError) {
        var request = Request(MessageType.deleteQueue, [], "end the redirection", "from network interface \(source)")
        request.body.addTraffic(source, handle: Self.handle, parent: Self.ingress)
        try change(request)
    }

    /// What stands at the entrance of this interface.
    public func entrance(of index: UInt32) throws(NetlinkError) -> Entrance {
        var queues = Request(MessageType.getQueue, .dump, "look at the queues", "of network interface \(index)")
        queues.body.addTraffic(index)
        let isThere = try ask(queues, type: MessageType.newQueue, limit: Self.limit) { (message) -> Bool? in
            message.number(4) == index && message.number(12) == Self.ingress ? true : nil
        }
        guard !isThere.isEmpty else { return .nothing }
        var filters = Request(MessageType.getFilter, .dump, Self.looking, "of network interface \(index)")
        filters.body.addTraffic(index, parent: Self.handle)
        let targets = try ask(filters, type: MessageType.newFilter, limit: Self.limit, Self.target)
        guard !targets.isEmpty else { return .others }
        var target: UInt32?
        for found in targets {
            guard let found, target == nil else { return .others }
            target = found
        }
        return target.map { .redirect(to: $0) } ?? .others
    }

    /// Where a filter redirects to, as ours do; nil within where it is none of ours. The kernel lists the table that a filter
    /// is in beside it, which has no options of its own.
    static func target(_ message: Fields) throws(NetlinkError) -> UInt32?? {
        guard let information: UInt32 = message.number(16), let attributes = message.attributes(from: 20) else {
            throw .malformed(operation: looking)
        }
        if passages.contains(information >> 16) { return nil }
        guard information >> 16 == preference, attributes.text(1) == Array("u32".utf8) else { return .some(nil) }
        guard let options = attributes.nested(2), options[5] != nil else { return nil }
        guard let action = options.nested(7)?.nested(1), action.text(1) == Array("mirred".utf8),
            let values = action.nested(2)?[2], let target: UInt32 = Fields(values).number(24)
        else { return .some(nil) }
        return target
    }
}

extension MessageBody {
    /// struct tcmsg.
    mutating func addTraffic(
        _ index: UInt32, handle: UInt32 = 0, parent: UInt32 = 0, information: UInt32 = 0
    ) {
        for word in [0, index, handle, parent, information] { add(word) }
    }
}

extension UInt32 {
    /// In the processor's order.
    var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
