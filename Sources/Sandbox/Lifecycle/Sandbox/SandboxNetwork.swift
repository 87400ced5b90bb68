// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import HostNetwork
import Linux
import OCISpec
import RuntimeState
import SandboxPlan

/// What joins a sandbox's network namespace on the host to its machine: for each interface a tap there, at the other end of
/// which is one of the machine's network devices.
struct SandboxNetwork {
    private let files: MachineFiles
    /// Where the namespace was found, for messages.
    private let path: String

    init(_ files: MachineFiles, path: String) {
        self.files = files
        self.path = path
    }

    /// Looks at the namespace, joins what is new in it to the machine, and lets go of what has vanished.
    ///
    /// - Returns: what the guest is to have from now on; nil where it has that already.
    func carry(
        _ namespace: BorrowedDescriptor, of container: inout LockedContainer
    ) throws(RuntimeError) -> NetworkPlan? {
        let old = container.record.machine?.network ?? MachineNetwork(slotCount: 0)
        var plan = try wrapping(failure, HostNetwork.capture(namespace, limit: old.slotCount))
        guard !plan.interfaces.isEmpty || !old.plan.interfaces.isEmpty else { return nil }
        try check(plan)
        let names = old.plan.interfaces.map(\.name)
        let joined = try wrapping(failure, HostNetwork.joined(names, in: namespace))
        let fresh = plan.takeSlots(of: old, joined: joined)
        if plan == old.plan, old.isMade, fresh.isEmpty { return nil }
        // Noted first: whatever becomes of this, what it made is to be taken away.
        let noted = plan
        try wrapping(
            RuntimeError.state,
            container.update { record in
                record.machine?.network?.plan = noted
                record.machine?.network?.isMade = false
            })
        for interface in old.plan.interfaces where !plan.interfaces.contains(where: { $0.slot == interface.slot }) {
            try files.detach(slot: Int(interface.slot))
        }
        try join(fresh, replacing: Set(old.plan.interfaces.map(\.slot)), namespace)
        return plan
    }

    /// - Parameter replacing: slots that may have a tap whose interface is not there any more.
    private func join(
        _ interfaces: [NetworkInterface], replacing: Set<UInt32>, _ namespace: BorrowedDescriptor
    ) throws(RuntimeError) {
        let connected = try wrapping(failure, HostNetwork.connect(interfaces, in: namespace))
        for connection in connected {
            let slot = Int(connection.interface.slot)
            if replacing.contains(connection.interface.slot) { try files.detach(slot: slot) }
            try files.attach(tap: connection.tap.borrowed, toSlot: slot, mtu: Int(connection.interface.mtu))
        }
    }

    /// What is kept with the container, and told to the guest, is bounded.
    private static let limit = 4096

    private func check(_ plan: NetworkPlan) throws(RuntimeError) {
        let counts = [
            ("addresses", plan.interfaces.map(\.addresses.count).reduce(0, +)),
            ("neighbours", plan.interfaces.map(\.neighbours.count).reduce(0, +)),
            ("routes", plan.routes.count), ("rules", plan.rules.count),
        ]
        for (name, count) in counts where count > Self.limit {
            throw .networkTooLarge(path: path, "\(count) \(name)", limit: Self.limit)
        }
    }

    /// Has the guest make the network that ``carry(_:of:)`` has returned.
    static func tell(
        _ plan: NetworkPlan?, by connection: AgentConnection, of container: inout LockedContainer
    ) throws(RuntimeError) {
        guard let plan else { return }
        try connection.ask(.network(plan))
        try wrapping(RuntimeError.state, container.update { $0.machine?.network?.isMade = true })
    }

    private func failure(_ error: HostNetworkError) -> RuntimeError { .hostNetwork(path: path, error) }

    /// Leaves the interfaces of the namespace that the document names as they were before: others may use them again.
    static func release(_ record: ContainerRecord, _ spec: Spec) {
        guard let network = record.machine?.network, !network.plan.interfaces.isEmpty,
            let path = spec.linux?.namespaces.first(where: { $0.type == .network })?.path, !path.isEmpty,
            let namespace = try? NetworkNamespace.open(path)
        else { return }
        // The machine has ended, and its taps with it. What has gone meanwhile needs nothing.
        try? HostNetwork.clean(network.plan.interfaces.map(\.name), in: namespace.borrowed)
        _ = consume namespace
    }
}

extension NetworkPlan {
    /// Gives each interface the slot that it has in `old`, where it is `joined` to it still, and the others slots that are
    /// free. There are as many as interfaces.
    ///
    /// - Returns: those others.
    mutating func takeSlots(of old: MachineNetwork, joined: Set<String>) -> [NetworkInterface] {
        var slots: [String: UInt32] = [:]
        for interface in old.plan.interfaces where joined.contains(interface.name) {
            slots[interface.name] = interface.slot
        }
        let kept = Set(interfaces.compactMap { slots[$0.name] })
        var free = (0..<UInt32(old.slotCount)).filter { !kept.contains($0) }
        var others: [NetworkInterface] = []
        for index in interfaces.indices {
            if let slot = slots[interfaces[index].name] {
                interfaces[index].slot = slot
            } else if !free.isEmpty {
                interfaces[index].slot = free.removeFirst()
                others.append(interfaces[index])
            }
        }
        return others
    }
}
