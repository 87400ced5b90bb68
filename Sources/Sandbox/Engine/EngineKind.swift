// SPDX-License-Identifier: Apache-2.0
/// What runs the virtual processors, as the user chooses it.
public enum EngineKind: String, CaseIterable, Sendable {
    /// `kvm` where it can boot Linux, `qemu` elsewhere.
    case auto
    /// fc-vmm itself, through /dev/kvm.
    case kvm
    /// qemu-system-x86_64, with our devices over vhost-user.
    case qemu
}

/// The engine that runs a machine, and why it was chosen.
public struct EngineChoice: Hashable, Sendable {
    /// What QEMU executes the guest's instructions with.
    public enum Accelerator: String, Sendable {
        /// Translation: everywhere, and slow.
        case tcg
        case kvm
    }

    /// The engine, and for QEMU what executes the guest's instructions.
    public enum Way: Hashable, Sendable {
        case kvm
        case qemu(Accelerator)
    }

    /// The engine.
    public var way: Way
    /// One line for the log.
    public var reason: String

    /// Chooses the engine: `kvm` where the host's processor can run a Linux guest, `qemu` elsewhere.
    public static func make(_ kind: EngineKind, hardware: HardwareVirtualization) throws(EngineError) -> EngineChoice {
        switch (kind, hardware) {
        case (.auto, .usable), (.kvm, .usable):
            return EngineChoice(way: .kvm, reason: "engine kvm: /dev/kvm runs a virtual processor")
        case (.kvm, .unusable(let cause, let cure)):
            throw .notUsable(cause: cause, cure: cure)
        case (.qemu, .usable):
            return EngineChoice(way: .qemu(.kvm), reason: "engine qemu with kvm: /dev/kvm runs a virtual processor")
        case (.auto, .unusable(let cause, _)), (.qemu, .unusable(let cause, _)):
            return EngineChoice(way: .qemu(.tcg), reason: "engine qemu with tcg: \(cause)")
        }
    }
}

extension EngineChoice.Way {
    /// The engine alone.
    public var kind: EngineKind {
        switch self {
        case .kvm: .kvm
        case .qemu: .qemu
        }
    }
}
