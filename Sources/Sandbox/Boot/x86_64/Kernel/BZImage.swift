// SPDX-License-Identifier: Apache-2.0
/// A compressed kernel, Linux Documentation/arch/x86/boot.rst: the setup header, and the code that is loaded.
enum BZImage {
    /// Offsets in the file; those of the setup header are the same in boot_params.
    enum Field {
        static let setupSectors = 0x1f1
        static let codeParagraphs = 0x1f4
        static let bootFlag = 0x1fe
        static let jumpByteCount = 0x201
        static let magic = 0x202
        static let version = 0x206
        static let loadFlags = 0x211
        static let initramfsAddressMaximum = 0x22c
        static let alignment = 0x230
        static let extendedLoadFlags = 0x236
        static let commandLineByteCount = 0x238
        static let preferredAddress = 0x258
        static let initByteCount = 0x260
        /// Beyond the last field read here, of protocol 2.12.
        static let end = 0x264
    }

    /// "HdrS".
    static let magic: UInt32 = 0x5372_6448
    private static let oldestVersion: UInt16 = 0x20c
    /// The 64-bit entry lies this far behind the code's beginning.
    private static let entryOffset: UInt64 = 0x200

    /// nil where `file` is no such image at all.
    static func read(_ file: ImageFile, memoryEnd: UInt64) throws(BootError) -> KernelImage? {
        guard file.has(UInt64(Field.magic) + 4, at: 0) else { return nil }
        let start = try file.bytes(at: 0, byteCount: Field.magic + 4)
        guard start.integer(UInt16.self, at: Field.bootFlag) == 0xaa55,
            start.integer(UInt32.self, at: Field.magic) == magic
        else { return nil }
        let headerEnd = Field.magic + Int(start[Field.jumpByteCount])
        guard headerEnd >= Field.version + 2 else { throw .bzImage(.setupSize) }
        let header = try file.bytes(at: 0, byteCount: headerEnd)
        let version: UInt16 = header.integer(at: Field.version)
        guard version >= oldestVersion else { throw .bzImage(.protocolVersion(version)) }
        guard headerEnd >= Field.end else { throw .bzImage(.setupSize) }
        guard header[Field.loadFlags] & 1 != 0 else { throw .bzImage(.loadedLow) }
        guard header.integer(UInt16.self, at: Field.extendedLoadFlags) & 1 != 0 else { throw .bzImage(.no64BitEntry) }
        return try image(file, header, memoryEnd: memoryEnd)
    }

    private static func image(
        _ file: ImageFile, _ header: [UInt8], memoryEnd: UInt64
    ) throws(BootError) -> KernelImage {
        // 0 stands for 4, as it did when the field was new.
        let sectors = header[Field.setupSectors] == 0 ? 4 : UInt64(header[Field.setupSectors])
        let offset = (sectors + 1) * 512
        guard offset >= UInt64(header.count) else { throw .bzImage(.setupSize) }
        let byteCount = UInt64(header.integer(UInt32.self, at: Field.codeParagraphs)) * 16
        guard byteCount > entryOffset else { throw .bzImage(.noCode) }
        try file.check(byteCount, at: offset)

        let alignment: UInt32 = header.integer(at: Field.alignment)
        let address: UInt64 = header.integer(at: Field.preferredAddress)
        guard alignment > 0, alignment & (alignment - 1) == 0, address % UInt64(alignment) == 0,
            address >= Table.kernelStart
        else { throw .bzImage(.alignment(alignment, address: address)) }
        let initByteCount: UInt32 = header.integer(at: Field.initByteCount)
        guard initByteCount >= byteCount else { throw .bzImage(.initSize(initByteCount)) }
        let (end, overflow) = address.addingReportingOverflow(UInt64(initByteCount))
        guard !overflow, end <= memoryEnd else {
            throw .kernelTooBig(start: address, byteCount: UInt64(initByteCount), memoryEnd: memoryEnd)
        }
        return KernelImage(
            parts: [.init(offset: offset, byteCount: byteCount, address: address)], extent: address..<end,
            start: .linux64(address + entryOffset),
            initramfsLimit: min(
                memoryEnd, UInt64(header.integer(UInt32.self, at: Field.initramfsAddressMaximum)) + 1),
            commandLineLimit: min(
                CommandLine.maximumByteCount - 1,
                Int(header.integer(UInt32.self, at: Field.commandLineByteCount))),
            setupHeader: Array(header[Field.setupSectors...]))
    }
}
