// SPDX-License-Identifier: Apache-2.0
import Boot
import GuestMemory
import Testing

@Suite("Machine layout") struct MachineLayoutTests {
    @Test(
        "Memory regions go around the hole and add up to the whole size",
        arguments: [32 << 20, 3 << 30, (3 << 30) + 4096, 5 << 30, 512 << 30])
    func regions(byteCount: UInt64) throws {
        let regions = try MachineLayout(memoryByteCount: byteCount).regions
        #expect(regions.reduce(0) { $0 + $1.byteCount } == byteCount)
        var offset: UInt64 = 0
        for region in regions {
            #expect(region.fileOffset == offset)
            #expect(!MachineLayout.hole.overlaps(region.start.rawValue..<region.end))
            offset += region.byteCount
        }
        #expect(regions.count == (byteCount > 3 << 30 ? 2 : 1))
    }

    @Test("Every device slot has a page and an interrupt of its own")
    func slots() {
        let all = (0..<MachineLayout.maximumDevices).compactMap { MachineLayout.slot($0) }
        #expect(all.count == 18)
        #expect(MachineLayout.slot(18) == nil && MachineLayout.slot(-1) == nil)
        #expect(Set(all.map(\.gsi)).count == all.count)
        #expect(Set(all.map(\.address)).count == all.count)
        for slot in all {
            #expect(slot.gsi < 24 && slot.gsi != MachineLayout.serialGSI && ![0, 1, 2, 3, 8].contains(slot.gsi))
            #expect(slot.address % 4096 == 0 && slot.byteCount == 4096)
            #expect(MachineLayout.deviceWindow.contains(slot.address))
            #expect(MachineLayout.hole.contains(slot.address + slot.byteCount - 1))
        }
        #expect(!MachineLayout.deviceWindow.contains(MachineLayout.ioAPICAddress))
    }

    @Test("Only S5 with SLP_EN powers off")
    func powerOff() {
        #expect((0...255).filter { MachineLayout.isPowerOff(sleepControl: $0) }.allSatisfy { $0 & 0x3c == 0x34 })
        #expect(MachineLayout.isPowerOff(sleepControl: 0x34))
        #expect(!MachineLayout.isPowerOff(sleepControl: 0x14))
    }

    @Test("The word Linux leaves below 0x1000 tells a panic from a restart")
    func endReason() throws {
        let guest = try Guest(byteCount: 32 << 20)
        #expect(EndReason.afterReset(guest.memory) == .restart)
        let word = try guest.memory.slice(at: GuestAddress(rawValue: 0x472), byteCount: 2)
        try word.store(UInt16(0x1234), at: 0)
        #expect(EndReason.afterReset(guest.memory) == .panic)
        try word.store(UInt16(0x1235), at: 0)
        #expect(EndReason.afterReset(guest.memory) == .restart)
    }

    @Test("The platform's kernel parameters fit on a command line")
    func parameters() throws {
        let line = CommandLine.platform.joined(separator: " ")
        #expect(line.contains("reboot=acpi,panic_warm") && line.contains("panic=-1"))
        try Guest().load(ELFImage.kernel().file, commandLine: line)
    }
}
