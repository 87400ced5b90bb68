// SPDX-License-Identifier: Apache-2.0
/// What a kernel entered by Linux's boot protocol is given, struct boot_params: Documentation/arch/x86/zero-page.rst.
struct ZeroPage {
    private enum Field {
        static let rsdp = 0x070
        static let memoryMapCount = 0x1e8
        static let setupHeader = 0x1f1
        static let loader = 0x210
        static let initramfs = 0x218
        static let initramfsByteCount = 0x21c
        static let commandLine = 0x228
        static let commandLineByteCount = 0x238
        static let memoryMap = 0x2d0
    }
    private static let byteCount = 4096
    /// A boot loader without a number of its own.
    private static let unknownLoader: UInt8 = 0xff

    /// A bzImage's own, which boot_params takes over; nil for a vmlinux, which has none.
    let setupHeader: [UInt8]?
    let memoryMap: [MemoryMapEntry]
    let initramfs: Range<UInt64>?
    let rsdp: UInt64
    let commandLineByteCount: Int

    var table: ByteTable {
        var page = ByteTable(zeros: Self.byteCount)
        if let setupHeader {
            page.set(setupHeader.prefix(Field.memoryMap - Field.setupHeader), at: Field.setupHeader)
        } else {
            // As much of the header as tells Linux that there is one.
            page.set(UInt16(0xaa55), at: BZImage.Field.bootFlag)
            page.set(BZImage.magic, at: BZImage.Field.magic)
            page.set(UInt16(0x20c), at: BZImage.Field.version)
            page.set(UInt8(1), at: BZImage.Field.loadFlags)
            page.set(UInt32(commandLineByteCount), at: Field.commandLineByteCount)
        }
        page.set(Self.unknownLoader, at: Field.loader)
        page.set(UInt32(Table.commandLine), at: Field.commandLine)
        if let initramfs {
            // Below the hole, so 32 bits hold it.
            page.set(UInt32(initramfs.lowerBound), at: Field.initramfs)
            page.set(UInt32(initramfs.upperBound - initramfs.lowerBound), at: Field.initramfsByteCount)
        }
        page.set(rsdp, at: Field.rsdp)
        page.set(UInt8(memoryMap.count), at: Field.memoryMapCount)
        for (index, entry) in memoryMap.enumerated() {
            let base = Field.memoryMap + 20 * index
            page.set(entry.start, at: base)
            page.set(entry.byteCount, at: base + 8)
            page.set(entry.kind.rawValue, at: base + 16)
        }
        return page
    }
}
