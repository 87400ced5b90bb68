// SPDX-License-Identifier: Apache-2.0
public import GuestMemory

/// How a guest ended that ended itself.
///
/// - A write to `Port.sleepControl` for which `MachineLayout.isPowerOff` holds is a shutdown.
/// - A write to `Port.reset`, or of `Port.keyboardReset` to `Port.keyboardStatus`, is a reset: ``afterReset(_:)`` tells
///   an ordered restart from a panic.
/// - A triple fault (KVM_EXIT_SHUTDOWN) is none of these: Linux has two better ways to reset here before it would come
///   to that, so a guest that ends so is broken.
public enum EndReason: Sendable, Equatable {
    case shutdown
    case restart
    case panic

    /// Looks why the guest reset the machine.
    ///
    /// The parameters in `CommandLine.platform` have a panicking Linux restart at once, in "warm" mode, while the mode
    /// of an ordered restart stays what it was, cold. Linux tells a firmware which of the two it wants by a word at
    /// 0x472 that it writes on the way to the reset whatever the reset is made with: 0x1234 for warm, 0 for cold. So
    /// a guest without firmware leaves word of its panic. (A guest's root may choose warm restarts, in
    /// /sys/kernel/reboot/mode: it then reads as a panic, to nobody's harm.) Memory that cannot be read reads as cold.
    public static func afterReset(_ memory: GuestMemory) -> EndReason {
        guard let word = try? memory.slice(at: GuestAddress(rawValue: 0x472), byteCount: 2).load(UInt16.self, at: 0)
        else { return .restart }
        return word == 0x1234 ? .panic : .restart
    }
}
