// SPDX-License-Identifier: Apache-2.0
import CLinux
public import Linux

// As on memory, for I/O ports: KVM_IOEVENTFD_FLAG_PIO.
extension VirtualMachine {
    /// Signals `event` when the guest writes `byteCount` bytes (1, 2 or 4) to `port`.
    public func signal(
        _ event: borrowing EventFD, onWriteToPort port: UInt16, byteCount: UInt32, value: UInt64? = nil
    ) throws(KVMError) {
        let signal = event.descriptor.borrowed
        let flags: UInt32 = 1 << kvm_ioeventfd_flag_nr_pio
        do { try setSignal(signal, UInt64(port), byteCount, value, flags: flags) } catch {
            throw .signalOnPort(port, byteCount: byteCount, error)
        }
    }

    /// Undoes ``signal(_:onWriteToPort:byteCount:value:)``, which must have been called with just these.
    public func stopSignaling(
        _ event: borrowing EventFD, onWriteToPort port: UInt16, byteCount: UInt32, value: UInt64? = nil
    ) throws(KVMError) {
        let signal = event.descriptor.borrowed
        let flags: UInt32 =
            1 << kvm_ioeventfd_flag_nr_pio | 1 << kvm_ioeventfd_flag_nr_deassign
        do { try setSignal(signal, UInt64(port), byteCount, value, flags: flags) } catch {
            throw .signalOnPort(port, byteCount: byteCount, error)
        }
    }
}
