// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink
import SandboxPlan

/// The network of the guest, which all its containers share: what the host says it is to be, and no more than that is touched.
/// What containers make for themselves is theirs.
final class GuestNetwork {
    /// What the host said last, as far as it was made.
    private var current = NetworkPlan()
    private var slots: NetworkSlots?

    /// Makes the network what `plan` says.
    ///
    /// - Throws: what could not be made, by name; what came before it is there, and stays until the host says otherwise.
    func become(_ plan: NetworkPlan) throws(AgentError) {
        let slots = try openSlots()
        let sockets: RouteSocket
        do { sockets = try RouteSocket() } catch { throw .network("rtnetlink", error) }
        removeObsolete(plan, slots, sockets)
        removeRenamed(plan, slots)
        for interface in plan.interfaces { try make(interface, slots, sockets) }
        let links = try network("interfaces") { () throws(NetlinkError) in try sockets.links() }
        let indexes = Dictionary(links.map { ($0.name, $0.index) }) { first, _ in first }
        for route in plan.routes where !current.routes.contains(route) {
            let index = indexes[route.interface]
            try network("route") { () throws(NetlinkError) in try sockets.replace(route, by: index) }
            current.routes.append(route)
        }
        for rule in plan.rules where !current.rules.contains(rule) {
            try network("rule") { () throws(NetlinkError) in try sockets.add(rule) }
            current.rules.append(rule)
        }
    }

    private func openSlots() throws(AgentError) -> NetworkSlots {
        if let slots { return slots }
        let slots = try doing("network devices", try NetworkSlots())
        self.slots = slots
        return slots
    }

    /// Takes away what is not in `plan` any more. Containers may have done so before.
    private func removeObsolete(_ plan: NetworkPlan, _ slots: NetworkSlots, _ sockets: RouteSocket) {
        for rule in current.rules where !plan.rules.contains(rule) { try? sockets.remove(rule) }
        let links = (try? sockets.links()) ?? []
        for route in current.routes where !plan.routes.contains(route) {
            try? sockets.remove(route, by: links.first { $0.name == route.interface }?.index)
        }
        current.rules.removeAll { !plan.rules.contains($0) }
        current.routes.removeAll { !plan.routes.contains($0) }
        for interface in current.interfaces where !plan.interfaces.contains(where: { $0.slot == interface.slot }) {
            slots.unbind(interface.slot)
        }
        current.interfaces.removeAll { old in !plan.interfaces.contains { $0.slot == old.slot } }
        // The kernel has taken away what led by the interfaces that are gone.
        let names = Set(current.interfaces.map(\.name)).union(["", "lo"])
        current.routes.removeAll { !names.contains($0.interface) }
    }

    /// Takes interfaces away that are to have another name: one may have the name that another is to have.
    private func removeRenamed(_ plan: NetworkPlan, _ slots: NetworkSlots) {
        for wanted in plan.interfaces {
            guard let before = current.interfaces.first(where: { $0.slot == wanted.slot }), before.name != wanted.name
            else { continue }
            slots.unbind(wanted.slot)
            forget(before)
        }
    }

    /// An interface has gone, and with it what led by it.
    private func forget(_ interface: NetworkInterface) {
        current.interfaces.removeAll { $0.slot == interface.slot }
        current.routes.removeAll { $0.interface == interface.name }
    }

    private func make(
        _ wanted: NetworkInterface, _ slots: NetworkSlots, _ sockets: RouteSocket
    ) throws(AgentError) {
        let before = current.interfaces.first { $0.slot == wanted.slot }
        let found = try doing("network device \(wanted.slot)", try slots.bind(wanted.slot))
        let losesRoutes = try network(wanted.name) { () throws(NetlinkError) -> Bool in
            guard let link = try sockets.link(named: found) else {
                throw .refused(operation: "look at", operand: found, .noSuchDevice, reason: "")
            }
            let wasDown = try Self.set(wanted, link, sockets)
            for old in before?.addresses ?? [] where !wanted.addresses.contains(old) {
                try? sockets.remove(old, from: link.index)
            }
            for address in wanted.addresses { try sockets.replace(address, of: link.index) }
            if wanted.isUp != link.isUp || before == nil { try sockets.setUp(wanted.isUp, of: link.index) }
            for old in before?.neighbours ?? [] where !wanted.neighbours.contains(old) {
                try? sockets.remove(old, from: link.index)
            }
            if wanted.isUp {
                for neighbour in wanted.neighbours { try sockets.replace(neighbour, on: link.index) }
            }
            return wasDown || !link.isUp || !wanted.isUp
        }
        // The kernel takes away what leads by an interface that is down.
        if losesRoutes { current.routes.removeAll { $0.interface == wanted.name } }
        current.interfaces.removeAll { $0.slot == wanted.slot }
        current.interfaces.append(wanted)
    }

    /// Name, hardware address and MTU, the first two of which take an interface that is down.
    ///
    /// - Returns: whether it was down for it.
    private static func set(
        _ wanted: NetworkInterface, _ link: Link, _ sockets: RouteSocket
    ) throws(NetlinkError) -> Bool {
        let isOther = link.name != wanted.name || link.hardwareAddress != wanted.hardwareAddress
        if isOther {
            if link.isUp { try sockets.setUp(false, of: link.index) }
            if link.name != wanted.name { try sockets.setName(wanted.name, of: link.index) }
            if link.hardwareAddress != wanted.hardwareAddress {
                try sockets.setHardwareAddress(wanted.hardwareAddress, of: link.index)
            }
            if link.isUp { try sockets.setUp(true, of: link.index) }
        }
        if link.mtu != wanted.mtu { try sockets.setMTU(wanted.mtu, of: link.index) }
        return isOther && link.isUp
    }

    private func network<Result>(
        _ what: String, _ body: () throws(NetlinkError) -> Result
    ) throws(AgentError) -> Result {
        do { return try body() } catch { throw .network(what, error) }
    }
}
