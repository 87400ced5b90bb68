// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

extension VirtualMachine {
    /// The guest's paravirtual clock.
    public struct Clock: Hashable, Sendable {
        /// Nanoseconds since the machine was made, or since it was set.
        public var nanoseconds: UInt64
        /// Nanoseconds since 1970 on the host at that moment, where the kernel tells (Linux 5.16).
        public var hostRealtime: UInt64?

        /// For ``VirtualMachine/setClock(_:)``.
        public init(nanoseconds: UInt64, hostRealtime: UInt64? = nil) {
            self.nanoseconds = nanoseconds
            self.hostRealtime = hostRealtime
        }
    }

    /// KVM_GET_CLOCK, api.rst 4.29.
    public func clock() throws(KVMError) -> Clock {
        var data = kvm_clock_data()
        do { try control(descriptor.borrowed, CL_KVM_GET_CLOCK, with: &data) } catch { throw .readClock(error) }
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
        do { try control(descriptor.borrowed, CL_KVM_SET_CLOCK, with: &data) } catch { throw .setClock(error) }
    }
}
