// SPDX-License-Identifier: Apache-2.0
/// An ELF kernel made here, every field of which a test can bend.
struct ELFImage {
    struct Segment {
        var type: UInt32 = 1
        var address: UInt64
        var bytes: [UInt8]
        /// What stands in the header; nil for what is true.
        var offset: UInt64?
        var fileByteCount: UInt64?
        var memoryByteCount: UInt64?
        var alignment: UInt64 = 0x1000
    }

    var segments: [Segment]
    var entry: UInt64 = 0x100_0000
    /// Overwrites bytes of the header.
    var patches: [(offset: Int, bytes: [UInt8])] = []

    /// Code at 16 MiB, some zeroed memory behind it, and, if given, a PVH note for an entry.
    static func kernel(pvhEntry: UInt32? = 0x100_0010) -> ELFImage {
        var image = ELFImage(segments: [
            Segment(address: 0x100_0000, bytes: [UInt8](repeating: 0xaa, count: 5000)),
            Segment(address: 0x110_0000, bytes: [UInt8](repeating: 0xbb, count: 100), memoryByteCount: 0x2000),
        ])
        if let pvhEntry {
            image.segments.append(
                Segment(
                    type: 4, address: 0,
                    bytes: note("GNU\0", 3, [1, 2, 3]) + note("Xen\0", 18, BootTests.bytes(pvhEntry)),
                    alignment: 4))
        }
        return image
    }

    static func note(_ name: String, _ type: UInt32, _ description: [UInt8]) -> [UInt8] {
        func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: -bytes.count & 3) }
        let name = Array(name.utf8)
        return BootTests.bytes(UInt32(name.count)) + BootTests.bytes(UInt32(description.count)) + BootTests.bytes(type)
            + padded(name) + padded(description)
    }

    var file: [UInt8] {
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 57)
        header.set(UInt16(2), at: 0x10)
        header.set(UInt16(62), at: 0x12)
        header.set(UInt32(1), at: 0x14)
        header.set(entry, at: 0x18)
        header.set(UInt64(64), at: 0x20)
        header.set(UInt16(64), at: 0x34)
        header.set(UInt16(56), at: 0x36)
        header.set(UInt16(segments.count), at: 0x38)
        var offset = 64 + 56 * segments.count
        var body: [UInt8] = []
        for segment in segments {
            var entry = [UInt8](repeating: 0, count: 56)
            entry.set(segment.type, at: 0)
            entry.set(segment.offset ?? UInt64(offset), at: 0x08)
            entry.set(segment.address, at: 0x18)
            entry.set(segment.fileByteCount ?? UInt64(segment.bytes.count), at: 0x20)
            entry.set(segment.memoryByteCount ?? UInt64(segment.bytes.count), at: 0x28)
            entry.set(segment.alignment, at: 0x30)
            header += entry
            body += segment.bytes
            offset += segment.bytes.count
        }
        var file = header + body
        for patch in patches {
            file.replaceSubrange(patch.offset..<patch.offset + patch.bytes.count, with: patch.bytes)
        }
        return file
    }
}

/// A bzImage made here.
struct BZImageFile {
    var setupSectors: UInt8 = 2
    var version: UInt16 = 0x20f
    var jumpByteCount: UInt8 = 0x6a
    var loadFlags: UInt8 = 1
    var extendedLoadFlags: UInt16 = 1
    var alignment: UInt32 = 0x20_0000
    var preferredAddress: UInt64 = 0x100_0000
    var initByteCount: UInt32 = 0x10_0000
    var initramfsAddressMaximum: UInt32 = 0x7fff_ffff
    var commandLineByteCount: UInt32 = 255
    var code = [UInt8](repeating: 0xcc, count: 4096)
    var codeParagraphs: UInt32?

    var file: [UInt8] {
        let sectors = setupSectors == 0 ? 4 : Int(setupSectors)
        var file = [UInt8](repeating: 0, count: (sectors + 1) * 512)
        file[0x1f1] = setupSectors
        file.set(codeParagraphs ?? UInt32(code.count / 16), at: 0x1f4)
        file.set(UInt16(0xaa55), at: 0x1fe)
        file[0x200] = 0xeb
        file[0x201] = jumpByteCount
        file.set(UInt32(0x5372_6448), at: 0x202)
        file.set(version, at: 0x206)
        file[0x211] = loadFlags
        file.set(initramfsAddressMaximum, at: 0x22c)
        file.set(alignment, at: 0x230)
        file.set(extendedLoadFlags, at: 0x236)
        file.set(commandLineByteCount, at: 0x238)
        file.set(preferredAddress, at: 0x258)
        file.set(initByteCount, at: 0x260)
        return file + code
    }
}
