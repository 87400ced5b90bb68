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
    /// The host's network namespace, where it was given by a name and is there when the machine has ended; nil: it goes
    /// with the machine.
    public var namespacePath: String?
    /// Which slot has a tap of this name in that namespace.
    public var taps: [String: UInt32] = [:]

    /// Devices that have nothing behind them yet.
    public init(slotCount: Int) { self.slotCount = slotCount }
}
