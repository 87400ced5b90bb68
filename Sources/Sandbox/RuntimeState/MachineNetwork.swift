// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// What is kept of a machine's network devices.
public struct MachineNetwork: Codable, Equatable, Sendable {
    /// How many of them there are.
    public var slotCount: Int
    /// What they were given last. It is noted before it is made: parts of it may be missing.
    public var plan = NetworkPlan()
    /// The guest has said that it has it.
    public var isMade = false

    /// Devices that have nothing behind them yet.
    public init(slotCount: Int) { self.slotCount = slotCount }
}
