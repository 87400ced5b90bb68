// SPDX-License-Identifier: Apache-2.0
/// A kernel whose headers have been read and found sound: what is to be loaded where, and how it is entered. Nothing
/// has been written yet.
struct KernelImage {
    /// A part of the file, and where it goes.
    struct Part: Equatable {
        let offset: UInt64
        let byteCount: UInt64
        let address: UInt64
    }

    /// Where Linux's first processor begins.
    enum Start: Equatable {
        case pvh(UInt64)
        case linux64(UInt64)
    }

    var parts: [Part]
    /// What the kernel takes while it starts, its zeroed memory included.
    var extent: Range<UInt64>
    var start: Start
    /// The first address that is beyond an initramfs.
    var initramfsLimit: UInt64
    /// How long a command line may be, its NUL not counted.
    var commandLineLimit: Int
    /// A bzImage's setup header, which goes to boot_params as it is; else nil.
    var setupHeader: [UInt8]?

    /// Reads the headers of `file`, and nothing else of it.
    static func read(
        _ file: ImageFile, entry: BootSource.Entry, memoryEnd: UInt64
    ) throws(BootError) -> KernelImage {
        // What is shorter than this is no kernel, whatever it begins with.
        let magic = try file.byteCount >= 4 ? file.bytes(at: 0, byteCount: 4) : []
        if magic == [0x7f, 0x45, 0x4c, 0x46] {
            return try ELFKernel(file, memoryEnd: memoryEnd).image(entry: entry)
        }
        if let image = try BZImage.read(file, memoryEnd: memoryEnd) {
            guard entry != .pvh else { throw .noPVHEntry }
            return image
        }
        throw .notKernel
    }
}
