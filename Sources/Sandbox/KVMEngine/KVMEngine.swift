import Engine
import SandboxPlan

/// The engine of our own: fc-vmm runs the virtual processors itself, through /dev/kvm.
public struct KVMEngine: Sendable {
    /// fc-vmm, on the host.
    public var monitor: String

    public init(monitor: String) {
        self.monitor = monitor
    }
}
