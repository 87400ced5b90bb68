// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

extension ModelSpecificRegister {
    /// What firmware leaves behind and a kernel relies on, of registers that KVM resets to something else.
    public static let atBoot: [ModelSpecificRegister] = [
        // The time-stamp counters start together: KVM takes zeros written close to each other for one.
        ModelSpecificRegister(0x10, 0),
        // IA32_MISC_ENABLE: fast strings. Without it Linux takes REP MOVSB for slow and unsafe.
        ModelSpecificRegister(0x1a0, 1),
        // IA32_MTRR_DEF_TYPE: enabled, write-back. Linux without MTRRs takes PAT for absent.
        ModelSpecificRegister(0x2ff, 1 << 11 | 6),
    ]
}

extension VCPU {
    /// KVM_SET_MSRS, api.rst 4.19, in order.
    ///
    /// - Throws: `.modelSpecificRegister` with the first the host does not take; those before it are set.
    public func setModelSpecificRegisters(_ registers: [ModelSpecificRegister]) throws(KVMError) {
        for start in stride(from: 0, to: registers.count, by: Self.registersPerRequest) {
            let part = registers[start..<min(start + Self.registersPerRequest, registers.count)]
            var words: [UInt64] = [UInt64(part.count)]
            for register in part { words += [UInt64(register.index), register.value] }
            let done: Int
            do { done = try control(descriptor.borrowed, CL_KVM_SET_MSRS, with: &words) } catch {
                throw .vcpu(.setModelSpecificRegisters, index: index, error)
            }
            guard done == part.count else {
                throw .modelSpecificRegister(part[start + max(0, min(done, part.count - 1))].index, vcpu: index)
            }
        }
    }

    /// KVM_GET_MSRS, api.rst 4.18.
    ///
    /// - Throws: `.modelSpecificRegister` with the first the host does not have.
    public func modelSpecificRegisters(_ indices: [UInt32]) throws(KVMError) -> [ModelSpecificRegister] {
        var result: [ModelSpecificRegister] = []
        for start in stride(from: 0, to: indices.count, by: Self.registersPerRequest) {
            let part = indices[start..<min(start + Self.registersPerRequest, indices.count)]
            var words: [UInt64] = [UInt64(part.count)]
            for register in part { words += [UInt64(register), 0] }
            let done: Int
            do { done = try control(descriptor.borrowed, CL_KVM_GET_MSRS, with: &words) } catch {
                throw .vcpu(.getModelSpecificRegisters, index: index, error)
            }
            guard done == part.count else {
                throw .modelSpecificRegister(part[start + max(0, min(done, part.count - 1))], vcpu: index)
            }
            for (offset, register) in part.enumerated() {
                result.append(ModelSpecificRegister(register, words[2 + 2 * offset]))
            }
        }
        return result
    }

    /// The kernel takes fewer than 256 at once. struct kvm_msrs: a count and padding, then an entry of an index,
    /// padding and the value: words of 64 bits, all of them.
    private static let registersPerRequest = 128
}
