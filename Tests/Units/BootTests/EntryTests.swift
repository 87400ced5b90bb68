// SPDX-License-Identifier: Apache-2.0
import Boot
import GuestMemory
import Testing

/// What a guest's memory and first registers hold, by each way in.
@Suite("Entry") struct EntryTests {
    @Test("PVH entry sets registers, start_info, memory map, module and command line")
    func pvh() throws {
        let guest = try Guest()
        let archive = [UInt8](repeating: 0x5a, count: 10_000)
        let state = try guest.load(ELFImage.kernel().file, initramfs: archive, commandLine: "console=ttyS0 x=1")
        #expect(state.mode == .protected32)
        #expect(state.rip == 0x100_0010)
        #expect(state.cr0 == 0x11 && state.cr3 == 0 && state.cr4 == 0 && state.efer == 0)
        #expect(state.rflags == 2)
        #expect(state.code.limit == .max && state.code.base == 0 && state.code.is32Bit && state.code.countsPages)
        #expect(state.code.type == 0xb && state.data.type == 3 && state.task.type == 0xb && state.task.limit == 0x67)

        let info = state.rbx
        #expect(try guest.integer(UInt32.self, at: info) == 0x336e_c578)
        #expect(try guest.integer(UInt32.self, at: info + 4) == 1)
        #expect(try guest.integer(UInt32.self, at: info + 12) == 1)
        #expect(try guest.text(at: guest.integer(at: info + 24)) == "console=ttyS0 x=1")
        #expect(try guest.bytes(at: guest.integer(at: info + 32), 8) == Array("RSD PTR ".utf8))

        let module: UInt64 = try guest.integer(at: info + 16)
        let place: UInt64 = try guest.integer(at: module)
        #expect(try guest.integer(UInt64.self, at: module + 8) == 10_000)
        #expect(place % 4096 == 0 && place == (64 << 20) - 12288)
        #expect(try guest.bytes(at: place, archive.count) == archive)

        let map: UInt64 = try guest.integer(at: info + 40)
        let entries: [[UInt64]] = try (0..<UInt64(guest.integer(UInt32.self, at: info + 48))).map {
            let entry = map + 24 * $0
            return [
                try guest.integer(at: entry), try guest.integer(at: entry + 8),
                UInt64(try guest.integer(UInt32.self, at: entry + 16)),
            ]
        }
        #expect(entries == [[0, 0xa_0000, 1], [0xe_0000, 0x2_0000, 3], [0x10_0000, (64 << 20) - 0x10_0000, 1]])

        #expect(try guest.bytes(at: 0x100_0000, 5000).allSatisfy { $0 == 0xaa })
        #expect(try guest.bytes(at: 0x110_0000, 100).allSatisfy { $0 == 0xbb })
        #expect(try guest.bytes(at: 0x110_0000 + 100, 0x2000 - 100).allSatisfy { $0 == 0 })
        // Nothing of ours in the page Linux writes its word to.
        #expect(try guest.bytes(at: 0, 4096).allSatisfy { $0 == 0 })
    }

    @Test("PVH without an initramfs has no module")
    func withoutInitramfs() throws {
        let guest = try Guest()
        let info = try guest.load(ELFImage.kernel().file).rbx
        #expect(try guest.integer(UInt32.self, at: info + 12) == 0)
        #expect(try guest.integer(UInt64.self, at: info + 16) == 0)
        #expect(try guest.text(at: guest.integer(at: info + 24)) == "")
    }

    @Test("PVH is used where the kernel has it, unless another entry is asked for")
    func selection() throws {
        #expect(try Guest().load(ELFImage.kernel().file).mode == .protected32)
        #expect(try Guest().load(ELFImage.kernel().file, entry: .linux64).mode == .long64)
        #expect(try Guest().load(ELFImage.kernel(pvhEntry: nil).file).mode == .long64)
        #expect(throws: BootError.noPVHEntry) { try Guest().load(ELFImage.kernel(pvhEntry: nil).file, entry: .pvh) }
        #expect(throws: BootError.noPVHEntry) { try Guest().load(BZImageFile().file, entry: .pvh) }
    }

    @Test("The 64-bit entry of a vmlinux sets registers, boot_params, page tables and GDT")
    func linux64() throws {
        let guest = try Guest()
        let archive = [UInt8](repeating: 7, count: 4096)
        let state = try guest.load(ELFImage.kernel().file, initramfs: archive, commandLine: "a", entry: .linux64)
        #expect(state.rip == 0x100_0000)
        #expect(state.cr0 == 0x8000_0011 && state.cr4 == 0x20 && state.efer == 0x500)
        #expect(state.code.is64BitCode && !state.code.is32Bit)
        #expect(state.code.selector == 0x10 && state.data.selector == 0x18)

        let page = state.rsi
        #expect(try guest.integer(UInt16.self, at: page + 0x1fe) == 0xaa55)
        #expect(try guest.bytes(at: page + 0x202, 4) == Array("HdrS".utf8))
        #expect(try guest.integer(UInt8.self, at: page + 0x1ef) == 0, "the sentinel that says: not filled in")
        #expect(try guest.integer(UInt8.self, at: page + 0x210) == 0xff)
        #expect(try guest.text(at: UInt64(guest.integer(UInt32.self, at: page + 0x228))) == "a")
        #expect(try guest.integer(UInt32.self, at: page + 0x218) == (64 << 20) - 4096)
        #expect(try guest.integer(UInt32.self, at: page + 0x21c) == 4096)
        #expect(try guest.bytes(at: guest.integer(at: page + 0x70), 8) == Array("RSD PTR ".utf8))
        #expect(try guest.integer(UInt8.self, at: page + 0x1e8) == 3)
        #expect(try guest.integer(UInt64.self, at: page + 0x2d0 + 40) == 0x10_0000)
        #expect(try guest.integer(UInt32.self, at: page + 0x2d0 + 36) == 3)

        for address: UInt64 in [0, 0x3000, 0x100_0000, 0x3ff_f000, 0xbfff_ffff, 0xfee0_0000, 0xffff_ffff] {
            #expect(try Self.translate(address, guest, state.cr3) == address)
        }
        #expect(try Self.translate(0x1_0000_0000, guest, state.cr3) == nil)
        // The descriptors say what the hidden parts of the registers do.
        #expect(try guest.integer(UInt64.self, at: state.gdt.base) == 0)
        #expect(try guest.integer(UInt64.self, at: state.gdt.base + 0x10) == 0x00af_9b00_0000_ffff)
        #expect(try guest.integer(UInt64.self, at: state.gdt.base + 0x18) == 0x00cf_9300_0000_ffff)
        #expect(try guest.integer(UInt64.self, at: state.gdt.base + 0x20) == 0x0000_8b00_0000_0067)
        #expect(state.gdt.limit == 47)
    }

    /// What the processor would make of a linear address.
    static func translate(_ address: UInt64, _ guest: Guest, _ root: UInt64) throws -> UInt64? {
        var table = root
        for level in [39, 30, 21] as [UInt64] {
            let entry: UInt64 = try guest.integer(at: table + 8 * (address >> level & 0x1ff))
            guard entry & 1 != 0 else { return nil }
            #expect(entry & 2 != 0)
            if level == 21 {
                #expect(entry & 0x80 != 0)
                return entry & ~0x1f_ffff | address & 0x1f_ffff
            }
            table = entry & ~0xfff
        }
        return nil
    }

    @Test("A bzImage is loaded with its header in boot_params and within its own limits")
    func bzImage() throws {
        let guest = try Guest()
        var image = BZImageFile()
        image.initramfsAddressMaximum = 0x2ff_ffff
        image.code = (0..<4096).map { UInt8(truncatingIfNeeded: $0 / 3) }
        let state = try guest.load(image.file, initramfs: [1, 2, 3], commandLine: "b")
        #expect(state.mode == .long64 && state.rip == 0x100_0200)
        #expect(try guest.bytes(at: 0x100_0000, 4096) == image.code)
        #expect(try guest.bytes(at: state.rsi + 0x230, 8) == Array(image.file[0x230..<0x238]))
        #expect(try guest.integer(UInt8.self, at: state.rsi + 0x1f1) == 2)
        #expect(try guest.bytes(at: state.rsi + 0x202, 4) == Array("HdrS".utf8))
        #expect(try guest.integer(UInt32.self, at: state.rsi + 0x238) == 255)
        #expect(try guest.integer(UInt32.self, at: state.rsi + 0x218) == 0x2ff_f000)
        #expect(throws: BootError.commandLineTooLong(byteCount: 256, limit: 255)) {
            try guest.load(image.file, commandLine: String(repeating: "x", count: 256))
        }
    }

    @Test("Memory above 4 GiB is in the memory map, and the initramfs stays below the hole")
    func highMemory() throws {
        let guest = try Guest(byteCount: 5 << 30)
        let info = try guest.load(ELFImage.kernel().file, initramfs: [1]).rbx
        let map: UInt64 = try guest.integer(at: info + 40)
        #expect(try guest.integer(UInt32.self, at: info + 48) == 4)
        #expect(try guest.integer(UInt64.self, at: map + 48 + 8) == 0xc000_0000 - 0x10_0000)
        #expect(try guest.integer(UInt64.self, at: map + 72) == 0x1_0000_0000)
        #expect(try guest.integer(UInt64.self, at: map + 80) == 2 << 30)
        let module: UInt64 = try guest.integer(at: info + 16)
        #expect(try guest.integer(UInt64.self, at: module) == 0xbfff_f000)
        // The file holds both regions back to back.
        try guest.memory.slice(at: GuestAddress(rawValue: 0x1_0000_0000), byteCount: 1).store(UInt8(9), at: 0)
        let mapped = try GuestMemory([
            .init(start: GuestAddress(rawValue: 0), byteCount: 1, file: guest.file.borrowed, offset: 3 << 30)
        ])
        #expect(try mapped.slice(at: GuestAddress(rawValue: 0), byteCount: 1).load(UInt8.self, at: 0) == 9)
    }
}
