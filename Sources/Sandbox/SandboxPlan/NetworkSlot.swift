// SPDX-License-Identifier: Apache-2.0
/// A network device of the machine, made without a link: a tap is handed to it when a network appears.
public struct NetworkSlot: Hashable, Sendable {
    /// Its place among the machine's, from 0.
    public let index: Int

    /// The slot at `index`, less than ``MachinePlan/networkSlotLimit``.
    public init(index: Int) { self.index = index }

    /// What fc-vmm and QEMU call it.
    public var id: String { "nic\(index)" }

    /// The device's own address, of one station and locally administered: what the guest's interface has until it is given
    /// another.
    public var hardwareAddress: [UInt8] { [0x02, 0xfc, 0, 0, 0, UInt8(truncatingIfNeeded: index)] }
}
