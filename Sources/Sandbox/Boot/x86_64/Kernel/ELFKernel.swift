// SPDX-License-Identifier: Apache-2.0
/// An uncompressed kernel: ELF-64, System V ABI ch. 4 and 5, as vmlinux is.
struct ELFKernel {
    /// A PT_LOAD.
    struct Segment {
        let index: Int
        let offset: UInt64
        let fileByteCount: UInt64
        let address: UInt64
        let memoryByteCount: UInt64
        var end: UInt64 { address + memoryByteCount }
    }

    /// By address, apart from one another, each between 1 MiB and the end of low memory.
    let segments: [Segment]
    /// The entry of the ELF header: a physical address in Linux.
    let entry: UInt64
    /// The entry of the PVH note, if there is one.
    let pvhEntry: UInt64?
    let memoryEnd: UInt64

    private static let headerByteCount = 64
    private static let programHeaderByteCount = 56
    /// Linux has five.
    private static let maximumProgramHeaders = 64

    init(_ file: ImageFile, memoryEnd: UInt64) throws(BootError) {
        let header = try file.bytes(at: 0, byteCount: Self.headerByteCount)
        try Self.check(header)
        entry = header.integer(at: 0x18)
        let count: UInt16 = header.integer(at: 0x38)
        let headers = try file.bytes(
            at: header.integer(at: 0x20), byteCount: Int(count) * Self.programHeaderByteCount)

        var segments: [Segment] = []
        var pvhEntry: UInt64?
        for index in 0..<Int(count) {
            let base = index * Self.programHeaderByteCount
            let segment = Segment(
                index: index, offset: headers.integer(at: base + 0x08),
                fileByteCount: headers.integer(at: base + 0x20), address: headers.integer(at: base + 0x18),
                memoryByteCount: headers.integer(at: base + 0x28))
            switch headers.integer(UInt32.self, at: base) {
            case 1 where segment.memoryByteCount > 0 || segment.fileByteCount > 0:
                try Self.check(segment, of: file, memoryEnd: memoryEnd)
                segments.append(segment)
            case 4 where pvhEntry == nil:
                pvhEntry = try ELFNotes.pvhEntry(
                    file, index: index, offset: segment.offset, byteCount: segment.fileByteCount,
                    alignment: headers.integer(at: base + 0x30))
            default: break
            }
        }
        segments.sort { $0.address < $1.address }
        for (lower, upper) in zip(segments, segments.dropFirst()) where upper.address < lower.end {
            throw .segment(index: upper.index, .overlaps(index: lower.index))
        }
        guard !segments.isEmpty else { throw .elf(.nothingToLoad) }
        self.segments = segments
        self.pvhEntry = pvhEntry
        self.memoryEnd = memoryEnd
    }

    private static func check(_ header: [UInt8]) throws(BootError) {
        guard header[4] == 2 else { throw .elf(.fileClass(header[4])) }
        guard header[5] == 1 else { throw .elf(.byteOrder(header[5])) }
        guard header[6] == 1 else { throw .elf(.version(header[6])) }
        let type: UInt16 = header.integer(at: 0x10)
        // ET_EXEC, or ET_DYN: a kernel that can be relocated.
        guard type == 2 || type == 3 else { throw .elf(.type(type)) }
        let machine: UInt16 = header.integer(at: 0x12)
        guard machine == 62 else { throw .elf(.machine(machine)) }
        let (count, size): (UInt16, UInt16) = (header.integer(at: 0x38), header.integer(at: 0x36))
        guard count > 0, count <= maximumProgramHeaders, size == programHeaderByteCount else {
            throw .elf(.programHeaders(count: count, entrySize: size))
        }
    }

    private static func check(_ segment: Segment, of file: ImageFile, memoryEnd: UInt64) throws(BootError) {
        guard segment.fileByteCount <= segment.memoryByteCount else {
            throw .segment(
                index: segment.index,
                .fileSizeBeyondMemorySize(segment.fileByteCount, segment.memoryByteCount))
        }
        let (end, overflow) = segment.address.addingReportingOverflow(segment.memoryByteCount)
        guard !overflow, segment.address >= Table.kernelStart else {
            throw .segment(
                index: segment.index,
                .outsideMemory(start: segment.address, byteCount: segment.memoryByteCount))
        }
        guard end <= memoryEnd else {
            throw .kernelTooBig(start: segment.address, byteCount: segment.memoryByteCount, memoryEnd: memoryEnd)
        }
        try file.check(segment.fileByteCount, at: segment.offset)
    }

    /// What to do with it, entered as `wanted`.
    func image(entry wanted: BootSource.Entry) throws(BootError) -> KernelImage {
        let start: KernelImage.Start
        switch (wanted, pvhEntry) {
        case (.pvh, nil): throw .noPVHEntry
        case (.pvh, let address?), (.automatic, let address?): start = .pvh(try inside(address))
        case (.linux64, _), (.automatic, nil): start = .linux64(try inside(entry))
        }
        return KernelImage(
            parts: segments.compactMap {
                $0.fileByteCount == 0
                    ? nil : .init(offset: $0.offset, byteCount: $0.fileByteCount, address: $0.address)
            },
            extent: segments[0].address..<segments[segments.count - 1].end, start: start,
            initramfsLimit: memoryEnd, commandLineLimit: CommandLine.maximumByteCount - 1, setupHeader: nil)
    }

    /// An entry must lie in bytes that came from the file.
    private func inside(_ address: UInt64) throws(BootError) -> UInt64 {
        for segment in segments where address >= segment.address && address - segment.address < segment.fileByteCount {
            return address
        }
        throw .entryOutsideKernel(address)
    }
}
