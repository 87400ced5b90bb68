// SPDX-License-Identifier: Apache-2.0
import Boot
import GuestMemory
import Testing

/// What a kernel without ACPI finds, read back from guest memory as it searches for it.
@Suite("MP table") struct MPTableTests {
    @Test("The MP table lists the processors, the I/O APIC and every interrupt", arguments: [1, 32, 254])
    func table(processors: Int) throws {
        let guest = try Guest()
        let kernel = try memoryFile(ELFImage.kernel().file)
        let info = try BootLoader.load(
            BootSource(kernel: kernel.borrowed, initramfs: nil, commandLine: "", description: .mpTable),
            into: guest.memory, layout: guest.layout, processors: processors, devices: slots(18)
        ).rbx
        #expect(try guest.integer(UInt64.self, at: info + 32) == 0, "no root pointer")
        #expect(try guest.bytes(at: 0xe_0000, 0x1_0000).allSatisfy { $0 == 0 }, "no ACPI tables")

        let start = try #require(
            try stride(from: UInt64(0xf_0000), to: 0x10_0000, by: 16).first {
                try guest.bytes(at: $0, 4) == Array("_MP_".utf8)
            })
        let pointer = try guest.bytes(at: start, 16)
        #expect(pointer[8] == 1 && pointer[9] == 4 && pointer.reduce(0, &+) == 0)
        let place = UInt64(pointer.integer(UInt32.self, at: 4))
        let table = try guest.bytes(at: place, Int(guest.integer(UInt16.self, at: place + 4)))
        #expect(table.prefix(4).elementsEqual("PCMP".utf8) && table.reduce(0, &+) == 0)
        #expect(table.integer(UInt32.self, at: 36) == 0xfee0_0000)

        var (offset, ids, pins, count): (Int, [UInt8], [UInt8], UInt16) = (44, [], [], 0)
        while offset < table.count {
            count += 1
            switch table[offset] {
            case 0:
                #expect(table[offset + 3] == (ids.isEmpty ? 3 : 1))
                ids.append(table[offset + 1])
                offset += 20
                continue
            case 1: #expect(Array(table[offset + 2..<offset + 8]) == Array("ISA   ".utf8))
            case 2:
                #expect(!ids.contains(table[offset + 1]))
                #expect(table.integer(UInt32.self, at: offset + 4) == 0xfec0_0000)
            case 3:
                #expect(table[offset + 1] == 0 && table[offset + 5] == table[offset + 7])
                pins.append(table[offset + 7])
            default: Issue.record("entry \(table[offset])")
            }
            offset += 8
        }
        #expect(count == table.integer(UInt16.self, at: 34))
        #expect(ids == (0..<processors).map { UInt8($0) })
        #expect(pins == (MachineLayout.deviceGSIs + [4]).sorted().map { UInt8($0) })
    }

    @Test("Without ACPI the devices are on the command line, as virtio_mmio reads them")
    func parameters() {
        #expect(
            CommandLine.withoutACPI(slots(2)) == [
                "acpi=off", "virtio_mmio.device=4K@0xd0000000:16", "virtio_mmio.device=4K@0xd0001000:17",
            ])
    }
}
