// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// One virtual machine: its memory, its interrupt controller and its clock. Safe to use from any thread, as KVM
/// takes its own lock for each of these.
public final class VirtualMachine: Sendable {
    let descriptor: FileDescriptor
    private let runAreaByteCount: Int
    private let extendedStateByteCount: Int

    init(_ descriptor: consuming FileDescriptor, runAreaByteCount: Int, extendedStateByteCount: Int) {
        self.descriptor = descriptor
        self.runAreaByteCount = runAreaByteCount
        self.extendedStateByteCount = extendedStateByteCount
    }

    /// KVM_SET_USER_MEMORY_REGION, api.rst 4.35: the guest finds the `byteCount` bytes of this process from
    /// `hostAddress` at `guestAddress`. All three are multiples of 4096; a `byteCount` of 0 takes the slot away.
    ///
    /// The caller keeps those bytes mapped for as long as the slot or the machine is there.
    public func setMemory(
        slot: UInt32, guestAddress: UInt64, byteCount: UInt64, hostAddress: UInt64
    ) throws(KVMError) {
        var region = kvm_userspace_memory_region()
        region.slot = slot
        region.guest_phys_addr = guestAddress
        region.memory_size = byteCount
        region.userspace_addr = hostAddress
        do { try control(descriptor.borrowed, CL_KVM_SET_USER_MEMORY_REGION, with: &region) } catch {
            throw .setMemory(slot: slot, guestAddress: guestAddress, byteCount: byteCount, error)
        }
    }

    /// A vCPU, numbered from 0, whose number is its APIC's as well. After the interrupt controller, which gives
    /// each vCPU its local APIC. Number 0 starts; the others wait for it to start them.
    ///
    /// KVM is fastest where the thread that makes a vCPU is the one that runs it (api.rst 1).
    public func makeVCPU(index: Int) throws(KVMError) -> VCPU {
        try VCPUInterrupter.installHandler()
        let number: Int
        do { number = try control(descriptor.borrowed, CL_KVM_CREATE_VCPU, index) } catch {
            throw .createVCPU(index: index, error)
        }
        let owned = FileDescriptor(owning: Int32(number))
        let area: RunArea
        do { area = try RunArea(owned.borrowed, byteCount: runAreaByteCount) } catch {
            throw .mapVCPU(index: index, error)
        }
        return VCPU(index: index, owned, area, extendedStateByteCount: extendedStateByteCount)
    }
}
