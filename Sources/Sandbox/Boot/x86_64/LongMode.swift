// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// The first page tables of a 64-bit entry: everything below 4 GiB at its own address, in 2 MiB pages, which every
/// 64-bit processor has. Intel SDM vol. 3 §4.5.
enum PageTables {
    private static let present: UInt64 = 1 << 0
    private static let writable: UInt64 = 1 << 1
    private static let large: UInt64 = 1 << 7
    private static let tableByteCount: UInt64 = 4096
    private static let directories: UInt64 = 4

    static func write(to memory: GuestMemory) throws(BootError) {
        let pointers = Table.pageTables + tableByteCount
        let first = pointers + tableByteCount
        var table = ByteTable(capacity: 6 * 4096)
        table.append(pointers | present | writable)
        table.append([UInt8](repeating: 0, count: 4096 - 8))
        for index in 0..<directories { table.append((first + index * tableByteCount) | present | writable) }
        table.append([UInt8](repeating: 0, count: 4096 - 32))
        for page in 0..<directories * 512 { table.append(page << 21 | present | writable | large) }
        try memory.put(table, at: Table.pageTables)
    }
}

extension ByteTable {
    /// The null descriptor, one unused, code, data and the 16 bytes of the task's.
    static var descriptors: ByteTable {
        var table = ByteTable()
        for word in [0, 0, Segment.code64.descriptor, Segment.data.descriptor, Segment.task.descriptor, 0] {
            table.append(word)
        }
        return table
    }
}

extension EntryState {
    /// Documentation/arch/x86/boot.rst, "64-bit Boot Protocol".
    static func linux64(entry: UInt64) -> EntryState {
        EntryState(
            mode: .long64, rip: entry, rsi: Table.zeroPage, rsp: Table.stackTop,
            cr0: Control.protectionEnabled | Control.extensionType | Control.paging, cr3: Table.pageTables,
            cr4: Control.physicalAddressExtension, efer: Control.longModeEnabled | Control.longModeActive,
            code: .code64, data: .data, task: .task, gdt: DescriptorTable(base: Table.descriptors, limit: 6 * 8 - 1))
    }
}
