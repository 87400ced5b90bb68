#if arch(x86_64)
    import CLinux
    import Linux

    /// One virtual machine: its memory, its interrupt controller and its clock. Safe to use from any thread, as KVM
    /// takes its own lock for each of these.
    public final class VirtualMachine: Sendable {
        let descriptor: FileDescriptor
        private let runAreaByteCount: Int
        private let extendedStateByteCount: Int

        /// Guest addresses KVM keeps for itself on Intel's processors, in the hole below 4 GiB: four pages for a task
        /// state segment (three) and an identity-mapped page table. No memory slot may overlap them.
        public static let reservedAddresses: Range<UInt64> = 0xfffb_c000..<0xfffc_0000

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
            do { try control(descriptor.rawValue, CL_KVM_SET_USER_MEMORY_REGION, with: &region) } catch {
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
            do { number = try control(descriptor.rawValue, CL_KVM_CREATE_VCPU, index) } catch {
                throw .createVCPU(index: index, error)
            }
            let owned = FileDescriptor(owning: Int32(number))
            let area: RunArea
            do { area = try RunArea(owned.rawValue, byteCount: runAreaByteCount) } catch {
                throw .mapVCPU(index: index, error)
            }
            return VCPU(index: index, owned, area, extendedStateByteCount: extendedStateByteCount)
        }
    }

    extension VirtualMachine {
        /// The guest's paravirtual clock.
        public struct Clock: Hashable, Sendable {
            /// Nanoseconds since the machine was made, or since it was set.
            public var nanoseconds: UInt64
            /// Nanoseconds since 1970 on the host at that moment, where the kernel tells (Linux 5.16).
            public var hostRealtime: UInt64?

            public init(nanoseconds: UInt64, hostRealtime: UInt64? = nil) {
                self.nanoseconds = nanoseconds
                self.hostRealtime = hostRealtime
            }
        }

        /// KVM_GET_CLOCK, api.rst 4.29.
        public func clock() throws(KVMError) -> Clock {
            var data = kvm_clock_data()
            do { try control(descriptor.rawValue, CL_KVM_GET_CLOCK, with: &data) } catch { throw .readClock(error) }
            return Clock(
                nanoseconds: data.clock,
                hostRealtime: data.flags & UInt32(KVM_CLOCK_REALTIME) != 0 ? data.realtime : nil)
        }

        /// KVM_SET_CLOCK, api.rst 4.30. With `hostRealtime` the clock goes on by what has passed on the host since:
        /// for a machine that comes back from a snapshot. Without, it goes on from where it was.
        public func setClock(_ clock: Clock) throws(KVMError) {
            var data = kvm_clock_data()
            data.clock = clock.nanoseconds
            if let realtime = clock.hostRealtime {
                data.realtime = realtime
                data.flags = UInt32(KVM_CLOCK_REALTIME)
            }
            do { try control(descriptor.rawValue, CL_KVM_SET_CLOCK, with: &data) } catch { throw .setClock(error) }
        }
    }
#endif
