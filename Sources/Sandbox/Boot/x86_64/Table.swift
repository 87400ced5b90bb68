// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// Where the tables of this room lie below 1 MiB. Page 0 stays the guest's: Linux writes a word of it (``EndReason``).
enum Table {
    /// The global descriptor table a processor starts with.
    static let descriptors: UInt64 = 0x1000
    /// hvm_start_info, its module list and its memory map; one page.
    static let startInfo: UInt64 = 0x2000
    /// boot_params, the "zero page" of the Linux boot protocol.
    static let zeroPage: UInt64 = 0x3000
    /// Six page tables: see PageTables.
    static let pageTables: UInt64 = 0x4000
    /// Where a stack would begin, growing down: nothing uses it before the kernel has one of its own.
    static let stackTop: UInt64 = 0x1_0000
    static let commandLine: UInt64 = 0x1_0000
    /// What of conventional memory is RAM; above lie VGA memory and ROMs on other machines.
    static let conventionalEnd: UInt64 = 0xa_0000
    /// The ACPI tables, where the RSDP is also found by those who search for it.
    static let acpi: Range<UInt64> = 0xe_0000..<0x10_0000
    /// From here on memory is the kernel's.
    static let kernelStart: UInt64 = 0x10_0000
}

/// One run of the guest's address space as the firmware's memory map gives it; the numbers are those of E820 and of
/// hvm_memmap alike (ACPI 6.4 §15).
struct MemoryMapEntry: Equatable {
    enum Kind: UInt32 {
        case ram = 1
        case acpiTables = 3
    }

    let start: UInt64
    let byteCount: UInt64
    let kind: Kind
}

extension MachineLayout {
    /// By address.
    var memoryMap: [MemoryMapEntry] {
        var entries = [
            MemoryMapEntry(start: 0, byteCount: Table.conventionalEnd, kind: .ram),
            MemoryMapEntry(
                start: Table.acpi.lowerBound, byteCount: Table.acpi.upperBound - Table.acpi.lowerBound,
                kind: .acpiTables),
            MemoryMapEntry(
                start: Table.kernelStart, byteCount: lowMemoryEnd - Table.kernelStart, kind: .ram),
        ]
        for region in regions.dropFirst() {
            entries.append(
                MemoryMapEntry(start: region.start.rawValue, byteCount: region.byteCount, kind: .ram))
        }
        return entries
    }
}
