// SPDX-License-Identifier: Apache-2.0
import CLinux
public import Linux

extension VirtualMachine {
    /// KVM_IRQ_LINE, api.rst 4.25.
    public func setInterruptLine(_ gsi: UInt32, _ isHigh: Bool) throws(KVMError) {
        var level = kvm_irq_level()
        level.irq = gsi
        level.level = isHigh ? 1 : 0
        do { try control(descriptor.borrowed, CL_KVM_IRQ_LINE, with: &level) } catch {
            throw .setInterruptLine(gsi: gsi, error)
        }
    }

    /// KVM_IRQFD, api.rst 4.75: each signal of `interrupt` is an edge on `gsi`, with no thread of ours between.
    /// The kernel holds on to the descriptor's file until ``unroute(_:from:)``, or until everyone closed it.
    public func route(_ interrupt: borrowing EventFD, to gsi: UInt32) throws(KVMError) {
        try setRoute(interrupt.descriptor.borrowed, gsi, flags: 0)
    }

    /// Undoes ``route(_:to:)``. Interrupts already signalled have been injected when it returns.
    public func unroute(_ interrupt: borrowing EventFD, from gsi: UInt32) throws(KVMError) {
        try setRoute(interrupt.descriptor.borrowed, gsi, flags: UInt32(KVM_IRQFD_FLAG_DEASSIGN))
    }

    private func setRoute(_ interrupt: BorrowedDescriptor, _ gsi: UInt32, flags: UInt32) throws(KVMError) {
        var route = kvm_irqfd()
        route.fd = UInt32(bitPattern: interrupt.rawValue)
        route.gsi = gsi
        route.flags = flags
        do { try control(descriptor.borrowed, CL_KVM_IRQFD, with: &route) } catch {
            throw .route(gsi: gsi, error)
        }
    }
}
