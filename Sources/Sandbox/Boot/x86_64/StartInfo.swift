// SPDX-License-Identifier: Apache-2.0
/// What a PVH kernel is given, struct hvm_start_info version 1: xen/include/public/arch-x86/hvm/start_info.h.
struct StartInfo {
    private static let magic: UInt32 = 0x336e_c578
    private static let byteCount: UInt64 = 56
    private static let moduleByteCount: UInt64 = 32

    let memoryMap: [MemoryMapEntry]
    let initramfs: Range<UInt64>?
    let rsdp: UInt64

    /// The structure, the module list and the memory map behind one another, to lie at `Table.startInfo`.
    var table: ByteTable {
        let modules = Table.startInfo + Self.byteCount
        let map = modules + (initramfs == nil ? 0 : Self.moduleByteCount)
        var table = ByteTable()
        table.append(Self.magic)
        table.append(UInt32(1))
        table.append(UInt32(0))
        table.append(UInt32(initramfs == nil ? 0 : 1))
        table.append(initramfs == nil ? 0 : modules)
        table.append(Table.commandLine)
        table.append(rsdp)
        table.append(map)
        table.append(UInt32(memoryMap.count))
        table.append(UInt32(0))
        if let initramfs {
            table.append(initramfs.lowerBound)
            table.append(initramfs.upperBound - initramfs.lowerBound)
            // No command line of its own, and a reserved word.
            table.append([UInt8](repeating: 0, count: 16))
        }
        for entry in memoryMap {
            table.append(entry.start)
            table.append(entry.byteCount)
            table.append(entry.kind.rawValue)
            table.append(UInt32(0))
        }
        return table
    }
}

extension EntryState {
    /// Xen's "x86/HVM direct boot ABI": protected mode without paging, flat segments, interrupts off.
    static func pvh(entry: UInt64) -> EntryState {
        EntryState(
            mode: .protected32, rip: entry, rbx: Table.startInfo, rsp: Table.stackTop,
            cr0: Control.protectionEnabled | Control.extensionType, code: .code32, data: .data, task: .task,
            // The kernel loads a table of its own before it loads a segment.
            gdt: DescriptorTable(base: 0, limit: 0))
    }
}
