// SPDX-License-Identifier: Apache-2.0
/// The resolver that a client keeps in a sandbox's network namespace on the host.
public enum ResolverPlan {
    /// The ports that it asks other name servers from. They are above those that a guest's kernel chooses by itself, so that the
    /// guest misses nothing that comes to them.
    public static let askingPorts: ClosedRange<UInt16> = 0xf000...0xffff
}
