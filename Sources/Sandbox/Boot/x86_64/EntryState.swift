// SPDX-License-Identifier: Apache-2.0
/// What the first processor's registers hold when it begins; all others are 0. The other processors wait for the
/// guest's INIT and start-up.
public struct EntryState: Sendable, Equatable {
    /// In what state of the processor the kernel begins.
    public enum Mode: Sendable, Equatable {
        /// PVH: 32-bit protected mode, flat segments, no paging; rbx is the address of hvm_start_info.
        case protected32
        /// Linux's 64-bit entry: long mode, low memory mapped one to one; rsi is the address of boot_params.
        case long64
    }

    /// What the registers below amount to.
    public var mode: Mode
    /// The kernel's entry.
    public var rip: UInt64
    /// PVH: the address of hvm_start_info.
    public var rbx: UInt64 = 0
    /// 64-bit entry: the address of boot_params.
    public var rsi: UInt64 = 0
    /// The top of a stack: no kernel needs one.
    public var rsp: UInt64 = 0
    /// 0.
    public var rbp: UInt64 = 0
    /// Bit 1 is always set; interrupts are off.
    public var rflags: UInt64 = 2
    /// Protection, and paging for a 64-bit entry.
    public var cr0: UInt64
    /// The first page table's address.
    public var cr3: UInt64 = 0
    /// PAE for a 64-bit entry.
    public var cr4: UInt64 = 0
    /// Long mode for a 64-bit entry.
    public var efer: UInt64 = 0
    /// For cs.
    public var code: Segment
    /// For ds, es, fs, gs and ss alike.
    public var data: Segment
    /// For tr. The local descriptor table's register is unusable.
    public var task: Segment
    /// The global descriptor table.
    public var gdt: DescriptorTable
    /// The interrupt descriptor table: none, interrupts are off.
    public var idt = DescriptorTable(base: 0, limit: 0)
}

/// A segment register with its hidden part, as KVM's struct kvm_segment: Intel SDM vol. 3 §3.4.5.
public struct Segment: Sendable, Equatable {
    /// The segment's place in the global descriptor table, times 8.
    public var selector: UInt16
    /// The address it begins at.
    public var base: UInt64 = 0
    /// The last offset in it, in bytes.
    public var limit: UInt32
    /// 4 bits.
    public var type: UInt8
    /// Whether it may be loaded at all.
    public var isPresent = true
    /// The descriptor's privilege level, 0 to 3.
    public var privilege: UInt8 = 0
    /// The size bit: a 32-bit segment. Clear in 64-bit code.
    public var is32Bit: Bool
    /// A code or data segment, no system one.
    public var isCodeOrData: Bool
    /// Code of 64 bits.
    public var is64BitCode = false
    /// The limit counts pages.
    public var countsPages: Bool
}

/// gdtr or idtr.
public struct DescriptorTable: Sendable, Equatable {
    /// The table's address.
    public var base: UInt64
    /// The last byte's offset in it.
    public var limit: UInt16
}

extension Segment {
    /// Flat 4 GiB segments, at the selectors Linux has them, __BOOT_CS and __BOOT_DS.
    static let code32 = Segment(
        selector: 0x10, limit: .max, type: 0xb, is32Bit: true, isCodeOrData: true, countsPages: true)
    static let code64 = Segment(
        selector: 0x10, limit: .max, type: 0xb, is32Bit: false, isCodeOrData: true, is64BitCode: true, countsPages: true
    )
    static let data = Segment(
        selector: 0x18, limit: .max, type: 0x3, is32Bit: true, isCodeOrData: true, countsPages: true)
    /// A busy task state segment, which a processor wants in tr and does not look into.
    static let task = Segment(
        selector: 0x20, limit: 0x67, type: 0xb, is32Bit: false, isCodeOrData: false, countsPages: false)

    /// The descriptor, as it stands in the table; the upper half of a 64-bit system descriptor is 0.
    var descriptor: UInt64 {
        let limit = UInt64(countsPages ? limit >> 12 : limit)
        var word = limit & 0xffff | (base & 0xff_ffff) << 16 | (limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56
        word |= UInt64(type & 0xf) << 40 | UInt64(privilege & 3) << 45
        if isCodeOrData { word |= 1 << 44 }
        if isPresent { word |= 1 << 47 }
        if is64BitCode { word |= 1 << 53 }
        if is32Bit { word |= 1 << 54 }
        if countsPages { word |= 1 << 55 }
        return word
    }
}

/// Bits of the control registers and EFER, Intel SDM vol. 3 §2.5 and §2.2.1.
enum Control {
    static let protectionEnabled: UInt64 = 1 << 0
    static let extensionType: UInt64 = 1 << 4
    static let paging: UInt64 = 1 << 31
    static let physicalAddressExtension: UInt64 = 1 << 5
    static let longModeEnabled: UInt64 = 1 << 8
    static let longModeActive: UInt64 = 1 << 10
}
