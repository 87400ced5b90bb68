// SPDX-License-Identifier: Apache-2.0
import Boot
import KVM

extension VCPU {
    /// Sets the registers a kernel is entered with; what ``EntryState`` does not speak of stays as KVM resets it.
    func enter(_ state: EntryState) throws(KVMError) {
        var special = try specialRegisters()
        special.cr0 = state.cr0
        special.cr3 = state.cr3
        special.cr4 = state.cr4
        special.efer = state.efer
        special.cs.set(state.code)
        special.ds.set(state.data)
        special.es.set(state.data)
        special.fs.set(state.data)
        special.gs.set(state.data)
        special.ss.set(state.data)
        special.tr.set(state.task)
        special.gdt.base = state.gdt.base
        special.gdt.limit = state.gdt.limit
        special.idt.base = state.idt.base
        special.idt.limit = state.idt.limit
        try setSpecialRegisters(special)
        var registers = Registers()
        registers.rip = state.rip
        registers.rbx = state.rbx
        registers.rsi = state.rsi
        registers.rsp = state.rsp
        registers.rbp = state.rbp
        registers.rflags = state.rflags
        try setRegisters(registers)
    }
}

extension KVM.Segment {
    fileprivate mutating func set(_ segment: Boot.Segment) {
        self = Self()
        selector = segment.selector
        base = segment.base
        limit = segment.limit
        type = segment.type
        present = segment.isPresent ? 1 : 0
        dpl = segment.privilege
        db = segment.is32Bit ? 1 : 0
        s = segment.isCodeOrData ? 1 : 0
        l = segment.is64BitCode ? 1 : 0
        g = segment.countsPages ? 1 : 0
    }
}
