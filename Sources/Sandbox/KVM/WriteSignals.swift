// SPDX-License-Identifier: Apache-2.0
import CLinux
public import Linux

// KVM_IOEVENTFD, api.rst 4.59: a write of the guest's that becomes a signal in the kernel, without an exit. What is
// written is lost: with `value` only a write of just that value signals, any other is an exit as ever.
extension VirtualMachine {
    /// Signals `event` when the guest writes `byteCount` bytes (1, 2, 4 or 8) at guest address `address`.
    public func signal(
        _ event: borrowing EventFD, onWriteTo address: UInt64, byteCount: UInt32, value: UInt64? = nil
    ) throws(KVMError) {
        let signal = event.descriptor.borrowed
        do { try setSignal(signal, address, byteCount, value, flags: 0) } catch {
            throw .signalOnMemory(address: address, byteCount: byteCount, error)
        }
    }

    /// Undoes ``signal(_:onWriteTo:byteCount:value:)``, which must have been called with just these.
    public func stopSignaling(
        _ event: borrowing EventFD, onWriteTo address: UInt64, byteCount: UInt32, value: UInt64? = nil
    ) throws(KVMError) {
        let signal = event.descriptor.borrowed
        do { try setSignal(signal, address, byteCount, value, flags: 1 << kvm_ioeventfd_flag_nr_deassign) } catch {
            throw .signalOnMemory(address: address, byteCount: byteCount, error)
        }
    }

    func setSignal(
        _ event: BorrowedDescriptor, _ address: UInt64, _ byteCount: UInt32, _ value: UInt64?, flags: UInt32
    ) throws(Errno) {
        var request = kvm_ioeventfd()
        request.addr = address
        request.len = byteCount
        request.fd = event.rawValue
        request.flags = flags
        if let value {
            request.datamatch = value
            request.flags |= 1 << kvm_ioeventfd_flag_nr_datamatch
        }
        try control(descriptor.borrowed, CL_KVM_IOEVENTFD, with: &request)
    }
}
