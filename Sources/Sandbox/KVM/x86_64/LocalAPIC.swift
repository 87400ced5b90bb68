// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

extension VCPU {
    /// The local APIC's registers as its page has them, 1024 bytes: KVM_GET_LAPIC, api.rst 4.57.
    public func localAPIC() throws(KVMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.localAPICByteCount)
        do { try control(descriptor.borrowed, CL_KVM_GET_LAPIC, with: &bytes) } catch {
            throw .vcpu(.getLocalAPIC, index: index, error)
        }
        return bytes
    }

    /// - Parameter bytes: 1024 of them, as ``localAPIC()`` gave.
    public func setLocalAPIC(_ bytes: [UInt8]) throws(KVMError) {
        guard bytes.count == Self.localAPICByteCount else {
            throw .vcpu(.setLocalAPIC, index: index, .invalidArgument)
        }
        var copy = bytes
        do { try control(descriptor.borrowed, CL_KVM_SET_LAPIC, with: &copy) } catch {
            throw .vcpu(.setLocalAPIC, index: index, error)
        }
    }

    /// Wires the two local pins as firmware does (Intel SDM 3A, 11.5.1): LINT0 takes the 8259's interrupts, LINT1
    /// the NMI.
    public func connectLocalInterrupts() throws(KVMError) {
        var registers = try localAPIC()
        let deliveryMode: UInt32 = 7 << 8
        let masked: UInt32 = 1 << 16
        for (offset, mode) in [(0x350, UInt32(7) << 8), (0x360, UInt32(4) << 8)] {
            var value: UInt32 = 0
            for byte in 0..<4 { value |= UInt32(registers[offset + byte]) << (8 * UInt32(byte)) }
            value = value & ~deliveryMode & ~masked | mode
            for byte in 0..<4 { registers[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte))) }
        }
        try setLocalAPIC(registers)
    }

    private static let localAPICByteCount = 1024
}
