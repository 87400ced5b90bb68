// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink

extension HostNetwork {
    /// Joins an interface and its tap.
    ///
    /// - Returns: the interface's index; the failure of its own that is not netlink's within.
    static func join(_ connection: ConnectedInterface, _ routes: RouteSocket) throws(NetlinkError) -> UInt32 {
        let name = connection.interface.name
        guard let link = try routes.link(named: name), let tap = try routes.link(named: connection.tapName) else {
            throw .gone
        }
        try takeAwayStale(link.index, routes)
        // Before it is up, so that nothing of the namespace's own is ever sent by it or received.
        try routes.setNoLinkLocalAddress(of: tap.index)
        try routes.setMTU(connection.interface.mtu, of: tap.index)
        try routes.redirect(from: tap.index, to: link.index)
        try routes.setUp(true, of: tap.index)
        try routes.redirect(from: link.index, to: tap.index)
        return link.index
    }

    /// A redirection of ours to a tap that has gone is what a runtime left that was killed.
    static func takeAwayStale(_ index: UInt32, _ routes: RouteSocket) throws(NetlinkError) {
        guard case .redirect(to: 0) = try routes.entrance(of: index) else { return }
        try routes.removeRedirect(from: index)
    }

    /// Runs `body`, which is about the interface of this name.
    static func about<Value>(
        _ name: String, _ body: () throws(NetlinkError) -> Value
    ) throws(HostNetworkError) -> Value {
        do throws(NetlinkError) { return try body() } catch {
            switch error.errno {
            case Errno.noSuchDevice: throw .vanished(interface: name)
            case Errno.exists: throw .occupied(interface: name)
            default: throw .interface(name, error)
            }
        }
    }
}

extension NetlinkError {
    /// As the kernel says it of an interface that is not there.
    fileprivate static let gone = NetlinkError.refused(
        operation: "look at the network interface", operand: "", .noSuchDevice, reason: "")
}
