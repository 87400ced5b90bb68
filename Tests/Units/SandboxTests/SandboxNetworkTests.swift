// SPDX-License-Identifier: Apache-2.0
import RuntimeState
import SandboxPlan
import Testing

@testable import Sandbox

@Suite("Slots for interfaces")
struct SandboxNetworkTests {
    private func plan(_ interfaces: (name: String, slot: UInt32)...) -> NetworkPlan {
        var plan = NetworkPlan()
        plan.interfaces = interfaces.map {
            NetworkInterface(slot: $0.slot, name: $0.name, hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: 1500)
        }
        return plan
    }

    /// Each with a tap, `tap` and the number of its slot.
    private func machine(_ count: Int, _ interfaces: (name: String, slot: UInt32)...) -> MachineNetwork {
        var network = MachineNetwork(slotCount: count)
        network.plan.interfaces = interfaces.flatMap { plan($0).interfaces }
        for interface in interfaces { network.taps["tap\(interface.slot)"] = interface.slot }
        return network
    }

    @Test("Interfaces that come first get the slots in their order")
    func first() {
        var now = plan(("eth0", 0), ("eth1", 1))
        let others = now.takeSlots(of: machine(4), joined: [:])
        #expect(now.interfaces.map(\.slot) == [0, 1])
        #expect(others == now.interfaces)
    }

    @Test("An interface that is joined keeps its slot, whatever comes before it")
    func kept() {
        var now = plan(("early", 0), ("eth0", 1), ("late", 2))
        let others = now.takeSlots(of: machine(4, ("eth0", 0), ("gone", 1)), joined: ["eth0": "tap0"])
        #expect(now.interfaces.map(\.slot) == [1, 0, 2])
        #expect(others.map(\.name) == ["early", "late"])
    }

    @Test("One that was made anew under its name is another")
    func replaced() {
        var now = plan(("eth0", 0))
        let others = now.takeSlots(of: machine(2, ("eth0", 1)), joined: [:])
        #expect(now.interfaces.map(\.slot) == [0])
        #expect(others.map(\.slot) == [0])
    }

    @Test("Interfaces that have changed their names with each other keep their slots")
    func swapped() {
        var now = plan(("eth0", 0), ("eth1", 1))
        let others = now.takeSlots(
            of: machine(2, ("eth0", 0), ("eth1", 1)), joined: ["eth0": "tap1", "eth1": "tap0"])
        #expect(now.interfaces.map(\.slot) == [1, 0])
        #expect(others.isEmpty)
    }

    @Test("One that another sandbox's tap is joined to, or that has another MTU now, is to be joined")
    func joinedOtherwise() {
        var now = plan(("eth0", 0), ("eth1", 1))
        now.interfaces[1].mtu = 1400
        let others = now.takeSlots(
            of: machine(2, ("eth0", 0), ("eth1", 1)), joined: ["eth0": "tap9", "eth1": "tap1"])
        #expect(others.map(\.slot) == [0, 1])
    }
}
