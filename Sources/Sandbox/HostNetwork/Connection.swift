// SPDX-License-Identifier: Apache-2.0
public import Linux
import Netlink
public import SandboxPlan

/// An interface of the host's, and the tap that it is joined to.
public final class ConnectedInterface: Sendable {
    /// As it was asked for.
    public let interface: NetworkInterface
    /// The other end of the tap interface, which is gone with the last descriptor of it: IFF_TAP, IFF_NO_PI, IFF_VNET_HDR.
    public let tap: FileDescriptor
    /// The tap interface's name in the namespace.
    public let tapName: String

    init(_ interface: NetworkInterface, _ tap: NamespaceDoor.Tap) {
        self.interface = interface
        self.tap = FileDescriptor(owning: tap.file)
        tapName = tap.name
    }
}

extension HostNetwork {
    /// Joins each of `interfaces` to a new tap in the same namespace: what comes in by either goes out by the other, and reaches
    /// nothing else. On failure nothing stays behind.
    ///
    /// - Returns: in the order of `interfaces`.
    public static func connect(
        _ interfaces: [NetworkInterface], in namespace: BorrowedDescriptor
    ) throws(HostNetworkError) -> [ConnectedInterface] {
        guard !interfaces.isEmpty else { return [] }
        let door = try NamespaceDoor(namespace, taps: interfaces.count)
        let routes = door.routes
        let connected = zip(interfaces, door.taps).map { ConnectedInterface($0, $1) }
        var joined: [UInt32] = []
        do throws(HostNetworkError) {
            for connection in connected {
                joined.append(
                    try about(connection.interface.name) { () throws(NetlinkError) in
                        try join(connection, routes)
                    })
            }
        } catch {
            for index in joined { try? routes.removeRedirect(from: index) }
            throw error
        }
        return connected
    }

    /// Ends what ``connect(_:in:)`` made at the interfaces of these names, where it is there still. The taps go with their
    /// descriptors.
    public static func disconnect(
        _ names: [String], in namespace: BorrowedDescriptor
    ) throws(HostNetworkError) {
        guard !names.isEmpty else { return }
        let routes = try NamespaceDoor(namespace).routes
        var failure: HostNetworkError?
        for name in names {
            do throws(HostNetworkError) {
                try about(name) { () throws(NetlinkError) in try Self.disconnect(name, routes) }
            } catch .vanished {
                // With all that was made at it.
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    private static func disconnect(_ name: String, _ routes: RouteSocket) throws(NetlinkError) {
        guard let link = try routes.link(named: name), case .redirect = try routes.entrance(of: link.index) else {
            return
        }
        try routes.removeRedirect(from: link.index)
    }
}

extension HostNetwork {
    /// The taps that interfaces of these names are joined to, by their names. Interfaces that are not joined are left out.
    public static func taps(
        of names: [String], in namespace: BorrowedDescriptor
    ) throws(HostNetworkError) -> [String: String] {
        guard !names.isEmpty else { return [:] }
        let routes = try NamespaceDoor(namespace).routes
        var joined: [String: String] = [:]
        do throws(NetlinkError) {
            let taps = try routes.links().filter(isOurTap)
            for name in names {
                guard let link = try routes.link(named: name),
                    case .redirect(let target) = try routes.entrance(of: link.index)
                else { continue }
                joined[name] = taps.first { $0.index == target }?.name
            }
        } catch {
            throw .network(error)
        }
        return joined
    }

    /// Takes away what stays at the interfaces of these names when their taps have gone. A redirection to a tap that is
    /// there is left: it may be another sandbox's.
    public static func clean(_ names: [String], in namespace: BorrowedDescriptor) throws(HostNetworkError) {
        guard !names.isEmpty else { return }
        let routes = try NamespaceDoor(namespace).routes
        for name in names {
            do throws(NetlinkError) {
                guard let link = try routes.link(named: name) else { continue }
                try takeAwayStale(link.index, routes)
            } catch {
                throw .interface(name, error)
            }
        }
    }
}
