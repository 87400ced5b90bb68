// SPDX-License-Identifier: Apache-2.0
import Boot
import Foundation
import Glibc
import GuestMemory
import Linux
import Testing

/// Each thing that can be wrong is named, and nothing is written before.
@Suite("Bad input") struct BadInputTests {
    /// Expects `error` from loading, and untouched memory.
    func refused(
        _ error: BootError, _ kernel: [UInt8], initramfs: [UInt8]? = nil, commandLine: String = "",
        entry: BootSource.Entry = .automatic, processors: Int = 1, devices: [DeviceSlot] = [],
        byteCount: UInt64 = 32 << 20, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let guest = try Guest(byteCount: byteCount)
        #expect(throws: error, sourceLocation: sourceLocation) {
            try guest.load(
                kernel, initramfs: initramfs, commandLine: commandLine, entry: entry, processors: processors,
                devices: devices)
        }
        var status = stat()
        #expect(unsafe fstat(guest.file.rawValue, &status) == 0)
        #expect(status.st_blocks == 0, "memory was written", sourceLocation: sourceLocation)
        // Each has a stage and words.
        #expect(error.description.hasPrefix(error.stage + ": "), sourceLocation: sourceLocation)
    }

    @Test("A file that is no kernel is refused")
    func noKernel() throws {
        try refused(.emptyFile(.kernel), [])
        try refused(.notKernel, [0x7f])
        try refused(.notKernel, Array("#!/bin/sh\n".utf8))
        try refused(.notKernel, [UInt8](repeating: 0, count: 100_000))
        try refused(.truncated(.kernel, offset: 0, byteCount: 64), [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
    }

    @Test("ELF headers that are not those of a kernel are refused")
    func headers() throws {
        func patched(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
            var image = ELFImage.kernel()
            image.patches = [(offset, bytes)]
            return image.file
        }
        try refused(.elf(.fileClass(1)), patched(4, [1]))
        try refused(.elf(.byteOrder(2)), patched(5, [2]))
        try refused(.elf(.version(9)), patched(6, [9]))
        try refused(.elf(.type(1)), patched(0x10, [1, 0]))
        try refused(.elf(.machine(183)), patched(0x12, [183, 0]))
        try refused(.elf(.programHeaders(count: 0, entrySize: 56)), patched(0x38, [0, 0]))
        try refused(.elf(.programHeaders(count: 65535, entrySize: 56)), patched(0x38, [0xff, 0xff]))
        try refused(.elf(.programHeaders(count: 3, entrySize: 32)), patched(0x36, [32, 0]))
        try refused(
            .truncated(.kernel, offset: .max - 7, byteCount: 168), patched(0x20, bytes(UInt64.max - 7)))
        try refused(.truncated(.kernel, offset: 1 << 40, byteCount: 168), patched(0x20, bytes(UInt64(1) << 40)))
        var notesOnly = ELFImage.kernel()
        notesOnly.segments.removeFirst(2)
        try refused(.elf(.nothingToLoad), notesOnly.file)
    }

    @Test("ELF segments that are truncated, overlapping or outside memory are refused")
    func segments() throws {
        func bent(_ change: (inout ELFImage.Segment) -> Void) -> [UInt8] {
            var image = ELFImage.kernel()
            change(&image.segments[0])
            return image.file
        }
        try refused(.truncated(.kernel, offset: 1 << 30, byteCount: 5000), bent { $0.offset = 1 << 30 })
        try refused(.truncated(.kernel, offset: .max, byteCount: 5000), bent { $0.offset = .max })
        try refused(
            .segment(index: 0, .fileSizeBeyondMemorySize(5000, 4999)), bent { $0.memoryByteCount = 4999 })
        try refused(
            .truncated(.kernel, offset: 232, byteCount: 16 << 20),
            bent {
                $0.fileByteCount = 16 << 20
                $0.memoryByteCount = 16 << 20
                $0.address = 0x10_0000
            })
        // Over our own tables, the ACPI tables among them.
        for address: UInt64 in [0, 0x1000, 0xf_f000] {
            try refused(
                .segment(index: 0, .outsideMemory(start: address, byteCount: 5000)), bent { $0.address = address })
        }
        try refused(
            .segment(index: 0, .outsideMemory(start: .max - 10, byteCount: 5000)), bent { $0.address = .max - 10 })
        try refused(
            .kernelTooBig(start: 0xd000_0000, byteCount: 5000, memoryEnd: 32 << 20), bent { $0.address = 0xd000_0000 })
        try refused(
            .kernelTooBig(start: 0x100_0000, byteCount: 1 << 62, memoryEnd: 32 << 20),
            bent { $0.memoryByteCount = 1 << 62 })
        try refused(.segment(index: 1, .overlaps(index: 0)), bent { $0.memoryByteCount = 0x10_0001 })
    }

    @Test("Entry points outside the loaded code are refused")
    func entries() throws {
        var image = ELFImage.kernel()
        image.entry = 0xffff_ffff_8100_0000
        try refused(.entryOutsideKernel(image.entry), image.file, entry: .linux64)
        // In memory the kernel has zeroed, there is no code.
        image.entry = 0x110_0000 + 100
        try refused(.entryOutsideKernel(image.entry), image.file, entry: .linux64)
        try refused(.entryOutsideKernel(0x2000), ELFImage.kernel(pvhEntry: 0x2000).file)
    }

    @Test("Malformed ELF notes are refused, and foreign ones are skipped")
    func notes() throws {
        func noted(_ notes: [UInt8], byteCount: UInt64? = nil) -> [UInt8] {
            var image = ELFImage.kernel()
            image.segments[2].bytes = notes
            image.segments[2].fileByteCount = byteCount
            return image.file
        }
        try refused(.note(index: 2), noted(bytes(UInt32.max) + bytes(UInt32(4)) + bytes(UInt32(18)) + [1, 2, 3, 4]))
        try refused(.note(index: 2), noted(bytes(UInt32(4)) + bytes(UInt32.max) + bytes(UInt32(18)) + [1, 2, 3, 4]))
        try refused(.note(index: 2), noted(ELFImage.note("Xen\0", 18, [1, 2])))
        try refused(.note(index: 2), noted(ELFImage.note("Xen\0", 18, bytes(UInt64(1) << 32))))
        try refused(.note(index: 2), noted([], byteCount: 1 << 20))
        // Names of others, and what is too short to be a note, are passed over.
        #expect(try Guest().load(noted(ELFImage.note("Yen\0", 18, bytes(UInt32(7))) + [0, 0])).mode == .long64)
        // 64-bit descriptions are as good as 32-bit ones.
        #expect(try Guest().load(noted(ELFImage.note("Xen\0", 18, bytes(UInt64(0x100_0020))))).rip == 0x100_0020)
    }

    @Test("A bzImage that cannot be booted is refused with the reason")
    func bzImages() throws {
        func bent(_ change: (inout BZImageFile) -> Void) -> [UInt8] {
            var image = BZImageFile()
            change(&image)
            return image.file
        }
        _ = try Guest().load(bent { $0.setupSectors = 0 })
        try refused(.bzImage(.protocolVersion(0x20b)), bent { $0.version = 0x20b })
        try refused(.bzImage(.no64BitEntry), bent { $0.extendedLoadFlags = 2 })
        try refused(.bzImage(.loadedLow), bent { $0.loadFlags = 0 })
        try refused(.bzImage(.setupSize), bent { $0.jumpByteCount = 0x10 })
        try refused(.bzImage(.setupSize), bent { $0.jumpByteCount = 0 })
        try refused(.bzImage(.noCode), bent { $0.codeParagraphs = 0 })
        try refused(.bzImage(.noCode), bent { $0.codeParagraphs = 32 })
        try refused(.truncated(.kernel, offset: 1536, byteCount: 4112), bent { $0.codeParagraphs = 257 })
        try refused(
            .truncated(.kernel, offset: 1536, byteCount: 0xffff_ffff0), bent { $0.codeParagraphs = .max })
        try refused(.bzImage(.alignment(0, address: 0x100_0000)), bent { $0.alignment = 0 })
        try refused(.bzImage(.alignment(3, address: 0x100_0000)), bent { $0.alignment = 3 })
        try refused(
            .bzImage(.alignment(0x20_0000, address: 0x110_0000)), bent { $0.preferredAddress = 0x110_0000 })
        try refused(.bzImage(.alignment(0x20_0000, address: 0)), bent { $0.preferredAddress = 0 })
        try refused(.bzImage(.initSize(4095)), bent { $0.initByteCount = 4095 })
        try refused(
            .kernelTooBig(start: 0x100_0000, byteCount: 0xffff_ffff, memoryEnd: 32 << 20),
            bent { $0.initByteCount = .max })
        try refused(
            .kernelTooBig(start: .max - 0x1f_ffff, byteCount: 0x20_0000, memoryEnd: 32 << 20),
            bent {
                $0.preferredAddress = .max - 0x1f_ffff
                $0.initByteCount = 0x20_0000
            })
        // Cut in the header.
        try refused(.truncated(.kernel, offset: 0, byteCount: 620), Array(BZImageFile().file.prefix(600)))
    }

    @Test("An initramfs or command line that does not fit is refused")
    func companions() throws {
        let kernel = ELFImage.kernel().file
        try refused(.emptyFile(.initramfs), kernel, initramfs: [])
        let available: UInt64 = (32 << 20) - 0x110_2000
        try refused(
            .initramfsTooBig(byteCount: available + 1, available: available), kernel,
            initramfs: [UInt8](repeating: 1, count: Int(available) + 1))
        _ = try Guest(byteCount: 32 << 20).load(kernel, initramfs: [UInt8](repeating: 1, count: Int(available)))
        var low = BZImageFile()
        low.initramfsAddressMaximum = 0x100_0000
        try refused(.initramfsTooBig(byteCount: 1, available: 0), low.file, initramfs: [1])

        try refused(
            .commandLineTooLong(byteCount: 2048, limit: 2047), kernel, commandLine: String(repeating: "x", count: 2048))
        _ = try Guest().load(kernel, commandLine: String(repeating: "x", count: 2047))
        try refused(.commandLineByte(0, offset: 1), kernel, commandLine: "a\0b")
        try refused(.commandLineByte(10, offset: 3), kernel, commandLine: "a=b\nc")
    }

    @Test("Descriptors of the wrong kind or access are refused")
    func descriptors() throws {
        let guest = try Guest()
        let kernel = try memoryFile(ELFImage.kernel().file)
        let folder = try FileDescriptor.open("/", .directory)
        let pipe = try FileDescriptor.pipe()
        let zero = try FileDescriptor.open("/dev/zero")
        func load(_ kernel: BorrowedDescriptor, _ initramfs: BorrowedDescriptor? = nil) throws {
            _ = try BootLoader.load(
                BootSource(kernel: kernel, initramfs: initramfs, commandLine: ""), into: guest.memory,
                layout: guest.layout, processors: 1, devices: [])
        }
        for number in [folder.borrowed, pipe.reader.borrowed, zero.borrowed] {
            #expect(throws: BootError.notRegularFile(.kernel)) { try load(number) }
            #expect(throws: BootError.notRegularFile(.initramfs)) { try load(kernel.borrowed, number) }
        }
        #expect(throws: BootError.status(.kernel, .badFileDescriptor)) { try load(BorrowedDescriptor(rawValue: -1)) }
        #expect(throws: BootError.status(.initramfs, .badFileDescriptor)) {
            try load(kernel.borrowed, BorrowedDescriptor(rawValue: 1_000_000))
        }
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("fc-runc-boot-\(getpid())").path
        let writable = try FileDescriptor.open(path, [.writeOnly, .create], mode: 0o600)
        defer { unsafe unlink(path) }
        try writable.writeAll(ELFImage.kernel().file)
        #expect(throws: BootError.read(.kernel, offset: 0, byteCount: 4, .badFileDescriptor)) {
            try load(writable.borrowed)
        }
        // Guest memory that cannot be written through its file.
        let readOnly = try FileDescriptor.open(guest.file.borrowed.path)
        #expect(throws: BootError.send(.kernel, offset: 232, byteCount: 5000, .badFileDescriptor)) {
            try BootLoader.load(
                BootSource(kernel: kernel.borrowed, initramfs: nil, commandLine: ""), into: guest.memory,
                backing: readOnly.borrowed, layout: guest.layout, processors: 1, devices: [])
        }
    }

    @Test("Impossible processor counts, device slots and memory sizes are refused")
    func machine() throws {
        let kernel = ELFImage.kernel().file
        try refused(.processorCount(0, limit: 254), kernel, processors: 0)
        try refused(.processorCount(-1, limit: 254), kernel, processors: -1)
        try refused(.processorCount(255, limit: 254), kernel, processors: 255)
        let slot = MachineLayout.slot(2)!
        try refused(.deviceSlot(slot), kernel, devices: [slot, slot])
        let elsewhere = DeviceSlot(address: 0x1000, byteCount: 4096, gsi: 16)
        try refused(.deviceSlot(elsewhere), kernel, devices: [elsewhere])
        try refused(.deviceCount(19, limit: 18), kernel, devices: slots(18) + [slot])
        for count: UInt64 in [0, 4096, (32 << 20) - 4096, (32 << 20) + 1, (512 << 30) + 4096, .max] {
            #expect(throws: BootError.memorySize(byteCount: count, allowed: MachineLayout.memoryByteCounts)) {
                try MachineLayout(memoryByteCount: count)
            }
        }
        // A layout of more memory than there is.
        let guest = try Guest(byteCount: 32 << 20)
        let file = try memoryFile(kernel)
        #expect(throws: BootError.missingMemory(start: 0, byteCount: 64 << 20)) {
            try BootLoader.load(
                BootSource(kernel: file.borrowed, initramfs: nil, commandLine: ""), into: guest.memory,
                layout: MachineLayout(memoryByteCount: 64 << 20), processors: 1, devices: [])
        }
    }
}
