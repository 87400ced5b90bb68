/// Who runs the virtual processors, as the user chooses it.
public enum EngineKind: String, CaseIterable, Sendable {
    /// `kvm` where it is built and can boot Linux, `qemu` elsewhere.
    case auto
    /// fc-vmm itself, through /dev/kvm.
    case kvm
    /// qemu-system-x86_64, with our devices over vhost-user.
    case qemu
}

/// What `auto` came to, or what was asked for, and why: one line for the log.
public struct EngineChoice: Hashable, Sendable {
    /// What QEMU executes the guest's instructions with.
    public enum Accelerator: String, Sendable {
        /// Translation: everywhere, and slow.
        case tcg
        case kvm
    }

    public var accelerator: Accelerator
    public var reason: String

    /// Chooses the engine. The monitor of our own is not built yet, so that the choice is among QEMU's ways.
    public static func make(_ kind: EngineKind, hardware: HardwareVirtualization) throws(EngineError) -> EngineChoice {
        switch (kind, hardware) {
        case (.kvm, _):
            throw .notBuilt(.kvm)
        case (.auto, .usable), (.qemu, .usable):
            return EngineChoice(accelerator: .kvm, reason: "engine qemu with kvm: /dev/kvm runs a virtual processor")
        case (.auto, .unusable(let cause, _)), (.qemu, .unusable(let cause, _)):
            return EngineChoice(accelerator: .tcg, reason: "engine qemu with tcg: \(cause)")
        }
    }
}
