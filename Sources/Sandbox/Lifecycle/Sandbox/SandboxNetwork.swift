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
        let names = old.taps.isEmpty ? [] : plan.interfaces.map(\.name)
        let joined = try wrapping(failure, HostNetwork.taps(of: names, in: namespace))
        let fresh = plan.takeSlots(of: old, joined: joined)
        if plan == old.plan, old.isMade, fresh.isEmpty { return nil }
        let kept = Set(plan.interfaces.map(\.slot)).subtracting(fresh.map(\.slot))
        // Noted first: whatever becomes of this, what it made is to be taken away.
        var noted = old
        noted.plan = plan
        noted.isMade = false
        noted.taps = old.taps.filter { kept.contains($0.value) }
        try note(noted, in: &container)
        // A tap that is replaced goes before its interface is joined anew.
        for interface in old.plan.interfaces where !kept.contains(interface.slot) {
            try files.detach(slot: Int(interface.slot))
        }
        let connected = try wrapping(failure, HostNetwork.connect(fresh, in: namespace))
        if connected.isEmpty { return plan }
        // Before the monitor has them: until then they go with this process.
        for connection in connected { noted.taps[connection.tapName] = connection.interface.slot }
        try note(noted, in: &container)
        for connection in connected {
            let interface = connection.interface
            try files.attach(tap: connection.tap.borrowed, toSlot: Int(interface.slot), mtu: Int(interface.mtu))
        }
        return plan
    }

    private func note(_ network: MachineNetwork, in container: inout LockedContainer) throws(RuntimeError) {
        try wrapping(RuntimeError.state, container.update { $0.machine?.network = network })
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

    /// Leaves the interfaces of the namespace that the document named as they were before: others may use them again. The
    /// machine has ended, and its taps with it.
    static func release(_ record: ContainerRecord) {
        guard let network = record.machine?.network, !network.plan.interfaces.isEmpty,
            let path = network.namespacePath, let namespace = try? NetworkNamespace.open(path)
        else { return }
        // What has gone meanwhile needs nothing.
        try? HostNetwork.clean(network.plan.interfaces.map(\.name), in: namespace.borrowed)
        _ = consume namespace
    }
}

extension NetworkPlan {
    /// Gives each interface the slot in `old` whose tap it is joined to, whatever its name is now, and the others slots that
    /// are free. There are as many as interfaces. A tap has the MTU that its interface had: with another, it is joined anew.
    ///
    /// - Parameter joined: the names of taps by those of interfaces.
    /// - Returns: those others.
    mutating func takeSlots(of old: MachineNetwork, joined: [String: String]) -> [NetworkInterface] {
        var slots: [String: UInt32] = [:]
        for interface in interfaces {
            guard let slot = joined[interface.name].flatMap({ old.taps[$0] }),
                old.plan.interfaces.contains(where: { $0.slot == slot && $0.mtu == interface.mtu })
            else { continue }
            slots[interface.name] = slot
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
