/// What the first processor's registers hold when it begins; all others are 0. The other processors wait for the
/// guest's INIT and start-up.
public struct EntryState: Sendable, Equatable {
    public enum Mode: Sendable, Equatable {
        /// PVH: 32-bit protected mode, flat segments, no paging; rbx is the address of hvm_start_info.
        case protected32
        /// Linux's 64-bit entry: long mode, low memory mapped one to one; rsi is the address of boot_params.
        case long64
    }

    public var mode: Mode
    public var rip: UInt64
    public var rbx: UInt64 = 0
    public var rsi: UInt64 = 0
    public var rsp: UInt64 = 0
    public var rbp: UInt64 = 0
    /// Bit 1 is always set; interrupts are off.
    public var rflags: UInt64 = 2
    public var cr0: UInt64
    public var cr3: UInt64 = 0
    public var cr4: UInt64 = 0
    public var efer: UInt64 = 0
    public var code: Segment
    /// For ds, es, fs, gs and ss alike.
    public var data: Segment
    /// For tr. The local descriptor table's register is unusable.
    public var task: Segment
    public var gdt: DescriptorTable
    public var idt = DescriptorTable(base: 0, limit: 0)
}

/// A segment register with its hidden part, as KVM's struct kvm_segment: Intel SDM vol. 3 §3.4.5.
public struct Segment: Sendable, Equatable {
    public var selector: UInt16
    public var base: UInt64 = 0
    public var limit: UInt32
    /// 4 bits.
    public var type: UInt8
    public var isPresent = true
    public var privilege: UInt8 = 0
    /// The size bit: a 32-bit segment. Clear in 64-bit code.
    public var is32Bit: Bool
    /// A code or data segment, no system one.
    public var isCodeOrData: Bool
    public var is64BitCode = false
    /// The limit counts pages.
    public var countsPages: Bool
}

/// gdtr or idtr.
public struct DescriptorTable: Sendable, Equatable {
    public var base: UInt64
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
    /// A busy task state segment, which a processor wants in tr; nobody looks into it.
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
