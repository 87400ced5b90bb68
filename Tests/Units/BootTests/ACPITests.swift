// SPDX-License-Identifier: Apache-2.0
import Boot
import Foundation
import GuestMemory
import Testing

/// What Linux finds from the root pointer on, read back from guest memory.
@Suite("ACPI tables") struct ACPITests {
    static let root: UInt64 = 0xe_0000

    /// A table's signature and bytes, its checksum found right.
    static func table(_ guest: Guest, at address: UInt64) throws -> (signature: String, bytes: [UInt8]) {
        let count: UInt32 = try guest.integer(at: address + 4)
        #expect((36..<0x1_0000).contains(count))
        let bytes = try guest.bytes(at: address, Int(count))
        #expect(bytes.reduce(0, &+) == 0, "checksum of the table at \(address)")
        #expect(address >= 0xe_0000 && address + UInt64(count) <= 0x10_0000)
        return (String(decoding: bytes.prefix(4), as: UTF8.self), bytes)
    }

    /// FADT, MADT and DSDT by way of the root pointer.
    static func tables(processors: Int, devices: Int) throws -> (fadt: [UInt8], madt: [UInt8], dsdt: [UInt8]) {
        let guest = try Guest()
        try guest.load(ELFImage.kernel().file, processors: processors, devices: slots(devices))
        let root = try guest.bytes(at: root, 36)
        #expect(root.prefix(8).elementsEqual("RSD PTR ".utf8))
        #expect(root.prefix(20).reduce(0, &+) == 0)
        #expect(root.reduce(0, &+) == 0)
        #expect(root[15] == 2)
        let (signature, xsdt) = try table(guest, at: root.integer(at: 24))
        #expect(signature == "XSDT")
        #expect(xsdt.count == 36 + 16)
        let (fadtName, fadt) = try table(guest, at: xsdt.integer(at: 36))
        let (madtName, madt) = try table(guest, at: xsdt.integer(at: 44))
        #expect(fadtName == "FACP" && madtName == "APIC")
        let (dsdtName, dsdt) = try table(guest, at: fadt.integer(at: 140))
        #expect(dsdtName == "DSDT")
        return (fadt, madt, dsdt)
    }

    @Test("The FADT declares reduced hardware and the reset and sleep registers")
    func fixed() throws {
        let fadt = try Self.tables(processors: 1, devices: 1).fadt
        #expect(fadt.count == 276)
        #expect(fadt[8] == 6)
        let boot: UInt16 = fadt.integer(at: 109)
        // No VGA, no CMOS clock; no legacy devices, no 8042, MSI allowed.
        #expect(boot == 0b100100)
        let flags: UInt32 = fadt.integer(at: 112)
        #expect(flags & (1 << 20) != 0, "hardware-reduced")
        #expect(flags & (1 << 10) != 0, "has a reset register")
        #expect(Array(fadt[116..<128]) == [1, 8, 0, 1] + bytes(UInt64(Port.reset)))
        #expect(fadt[128] == MachineLayout.resetValue)
        #expect(Array(fadt[244..<256]) == [1, 8, 0, 1] + bytes(UInt64(Port.sleepControl)))
        #expect(Array(fadt[256..<268]) == [1, 8, 0, 1] + bytes(UInt64(Port.sleepStatus)))
        // No FACS, no interrupt of ACPI's, none of the registers that reduced hardware lacks.
        #expect(fadt[36..<45].allSatisfy { $0 == 0 })
        #expect(fadt[46..<109].allSatisfy { $0 == 0 })
        #expect(fadt[148..<244].allSatisfy { $0 == 0 })
    }

    @Test("The MADT lists every processor and the one I/O APIC", arguments: [1, 2, 32, 254])
    func controllers(processors: Int) throws {
        let madt = try Self.tables(processors: processors, devices: 0).madt
        #expect(madt.integer(UInt32.self, at: 36) == 0xfee0_0000)
        #expect(madt.integer(UInt32.self, at: 40) == 0, "no 8259")
        var (offset, ids, controllers): (Int, [UInt8], Int) = (44, [], 0)
        while offset < madt.count {
            switch (madt[offset], madt[offset + 1]) {
            case (0, 8):
                #expect(madt[offset + 2] == madt[offset + 3])
                #expect(madt.integer(UInt32.self, at: offset + 4) == 1)
                ids.append(madt[offset + 3])
            case (1, 12):
                controllers += 1
                #expect(madt.integer(UInt32.self, at: offset + 4) == 0xfec0_0000)
                #expect(madt.integer(UInt32.self, at: offset + 8) == 0)
            default: Issue.record("entry \(madt[offset]) of \(madt[offset + 1]) bytes")
            }
            offset += Int(madt[offset + 1])
        }
        #expect(ids == (0..<processors).map { UInt8($0) })
        #expect(controllers == 1)
    }

    @Test("The DSDT lists every device with its registers and its interrupt", arguments: [0, 1, 7, 18])
    func namespace(devices: Int) throws {
        let dsdt = try Self.tables(processors: 1, devices: devices).dsdt
        // Each resource as its own bytes: found once, in order.
        var position = 0
        for slot in slots(devices) {
            let memory = [0x86, 9, 0, 1] + bytes(UInt32(slot.address)) + bytes(UInt32(4096))
            let interrupt = [0x89, 6, 0, 3, 1] + bytes(slot.gsi)
            let wanted = memory + interrupt
            let found = try #require(Self.find(wanted, in: dsdt, from: position), "slot at \(slot.address)")
            position = found + wanted.count
        }
        #expect(Self.count(Array("LNRO0005".utf8) + [0], in: dsdt) == devices)
        #expect(Self.count([0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x89, 6, 0, 3, 1, 4, 0, 0, 0], in: dsdt) == 1)
        // PNP0501, packed.
        #expect(Self.count([0x0c, 0x41, 0xd0, 0x05, 0x01], in: dsdt) == 1)
        // \_S5, whose first element is the sleep type.
        #expect(Self.count([0x08, 0x5c] + Array("_S5_".utf8) + [0x12, 7, 4, 0x0a, 5], in: dsdt) == 1)
    }

    static func find(_ bytes: [UInt8], in all: [UInt8], from start: Int) -> Int? {
        guard all.count >= bytes.count, start <= all.count - bytes.count else { return nil }
        return (start...all.count - bytes.count).first { all[$0..<$0 + bytes.count].elementsEqual(bytes) }
    }

    static func count(_ bytes: [UInt8], in all: [UInt8]) -> Int {
        var (count, position) = (0, 0)
        while let found = find(bytes, in: all, from: position) {
            count += 1
            position = found + bytes.count
        }
        return count
    }

    static let hasDisassembler = FileManager.default.isExecutableFile(atPath: "/usr/bin/iasl")

    @Test(
        "ACPICA's disassembler reads every table without complaint",
        .enabled(if: hasDisassembler, "iasl (acpica-tools) is not installed"))
    func disassembly() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fc-runc-acpi-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let tables = try Self.tables(processors: 4, devices: 18)
        for (name, table) in [("dsdt", tables.dsdt), ("facp", tables.fadt), ("apic", tables.madt)] {
            let file = folder.appendingPathComponent("\(name).aml")
            try Data(table).write(to: file)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/iasl")
            process.arguments = ["-d", file.path]
            let output = folder.appendingPathComponent("\(name).log")
            _ = FileManager.default.createFile(atPath: output.path, contents: nil)
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = process.standardOutput
            try process.run()
            process.waitUntilExit()
            let said = try String(contentsOf: output, encoding: .utf8)
            #expect(process.terminationStatus == 0, "\(said)")
            for word in ["Error", "Warning", "Invalid", "Could not"] { #expect(!said.contains(word), "\(said)") }
        }
        let text = try String(contentsOf: folder.appendingPathComponent("dsdt.dsl"), encoding: .utf8)
        #expect(text.contains("Device (V011)"))
        #expect(text.contains("EisaId (\"PNP0501\")"))
        #expect(text.contains("Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive"))
        if let keep = ProcessInfo.processInfo.environment["FC_BOOT_KEEP_ACPI"] {
            try text.write(toFile: keep, atomically: true, encoding: .utf8)
        }
    }
}
