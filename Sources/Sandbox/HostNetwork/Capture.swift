// SPDX-License-Identifier: Apache-2.0
public import Linux
import Netlink
public import SandboxPlan

extension HostNetwork {
    /// What the namespace that `namespace` is open on has of interfaces, addresses, routes, rules and permanent neighbours. Left
    /// out are loopback, the tunnels that the kernel makes by itself, and our own taps.
    ///
    /// - Parameter limit: as many interfaces can be carried; they get the slots 0, 1, …
    public static func capture(
        _ namespace: BorrowedDescriptor, limit: Int
    ) throws(HostNetworkError) -> NetworkPlan {
        let routes = try NamespaceDoor(namespace).routes
        let result: Result<NetworkPlan, HostNetworkError>
        do throws(NetlinkError) { result = try capture(routes, limit: limit) } catch { throw .network(error) }
        return try result.get()
    }

    private static func capture(
        _ socket: RouteSocket, limit: Int
    ) throws(NetlinkError) -> Result<NetworkPlan, HostNetworkError> {
        let links = try socket.links()
        let carried = links.filter { !isLeftOut($0) }
        guard carried.count <= limit else { return .failure(.tooMany(count: carried.count, limit: limit)) }
        let addresses = try socket.addresses()
        let neighbours = try socket.neighbours()
        let routes = try socket.routes(by: links)
        var plan = NetworkPlan()
        for link in carried {
            if let obstacle = obstacle(to: link) { return .failure(obstacle) }
            var interface = NetworkInterface(
                slot: UInt32(plan.interfaces.count), name: link.name, hardwareAddress: link.hardwareAddress,
                mtu: link.mtu)
            interface.isUp = link.isUp
            interface.neighbours = neighbours[link.index] ?? []
            interface.addresses = (addresses[link.index] ?? []).map { address in
                var address = address
                // CNI's ptp plugin takes away the kernel's route and makes others. One that is down has none, and gets it.
                if link.isUp, address.local.length < address.local.address.bitCount,
                    !routes.hasKernelRoute(to: address, of: link.index)
                {
                    address.hasPrefixRoute = false
                }
                return address
            }
            plan.interfaces.append(interface)
        }
        // Our own taps have none, and those of the kernel's tunnels lead nowhere in the guest.
        let names = Set(carried.map(\.name)).union(["", "lo"])
        plan.routes = routes.added.filter { names.contains($0.interface) }
        plan.rules = try socket.rules()
        return .success(plan)
    }

    static func isLeftOut(_ link: Link) -> Bool {
        link.isLoopback || isOurTap(link) || (!link.isUp && kernelOwn.contains(link.name))
    }

    static func isOurTap(_ link: Link) -> Bool { link.kind == "tun" && link.name.begins(with: tapPrefix) }

    /// Every namespace has them where the module is loaded, down.
    private static let kernelOwn: Set<String> = [
        "sit0", "tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0",
    ]

    /// Why this interface cannot be carried; nil where it can.
    static func obstacle(to link: Link) -> HostNetworkError? {
        guard link.hasTextualName else { return .name(link.name) }
        // IPVLAN in its modes without Ethernet has no address resolution, and says that it is one all the same.
        guard link.isEthernet, !(link.kind == "ipvlan" && link.hasNoARP) else {
            return .notEthernet(interface: link.name, kind: link.kind.isEmpty ? "ARPHRD \(link.type)" : link.kind)
        }
        guard (68...65521).contains(link.mtu) else { return .mtu(interface: link.name, link.mtu) }
        guard link.hardwareAddress[0] & 1 == 0, link.hardwareAddress.contains(where: { $0 != 0 }) else {
            return .hardwareAddress(interface: link.name, link.hardwareAddress)
        }
        return nil
    }
}
