// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

extension VirtualMachine {
    /// Guest addresses KVM keeps for itself on Intel's processors, in the hole below 4 GiB: four pages for a task
    /// state segment (three) and an identity-mapped page table. No memory slot may overlap them.
    public static let reservedAddresses: Range<UInt64> = 0xfffb_c000..<0xfffc_0000

    /// KVM_CREATE_IRQCHIP, api.rst 4.24: two 8259, an IOAPIC of 24 lines and a local APIC a vCPU, all in the kernel.
    /// Interrupt `n` reaches line `n` of the IOAPIC, and of the 8259 where it is below 16.
    public func makeInterruptController() throws(KVMError) {
        let machine = descriptor.borrowed
        let identityMap = Self.reservedAddresses.lowerBound
        let taskState = identityMap + 4096
        // Both before the first vCPU; only Intel's processors without unrestricted guests use them.
        var address = identityMap
        do { try control(machine, CL_KVM_SET_IDENTITY_MAP_ADDR, with: &address) } catch {
            throw .setIdentityMapAddress(identityMap, error)
        }
        do { try control(machine, CL_KVM_SET_TSS_ADDR, Int(taskState)) } catch {
            throw .setTaskStateAddress(taskState, error)
        }
        do { try control(machine, CL_KVM_CREATE_IRQCHIP) } catch { throw .createInterruptController(error) }
    }

    /// KVM_CREATE_PIT2, api.rst 4.71: an 8254 in the kernel, on interrupt 0, for a guest that calibrates by it.
    /// One that has the paravirtual clock and the deadline timer needs none.
    public func makeTimer() throws(KVMError) {
        var configuration = kvm_pit_config()
        // Port 0x61 as well: the guest gates channel 2 through it.
        configuration.flags = UInt32(KVM_PIT_SPEAKER_DUMMY)
        do { try control(descriptor.borrowed, CL_KVM_CREATE_PIT2, with: &configuration) } catch {
            throw .createTimer(error)
        }
    }
}
