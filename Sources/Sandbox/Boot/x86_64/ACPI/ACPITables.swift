// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// The tables by which Linux knows this machine, with no firmware behind them: ACPI 6.4 §5.2, hardware-reduced.
struct ACPITables {
    let processors: Int
    let devices: [DeviceSlot]

    private static let headerByteCount = 36
    private static let rsdpByteCount = 36

    /// Writes the tables behind one another, the root pointer first.
    ///
    /// - Returns: the address of the root pointer.
    func write(to memory: GuestMemory) throws(BootError) -> UInt64 {
        let start = Table.acpi.lowerBound
        var all = ByteTable(zeros: Self.rsdpByteCount)
        func place(_ table: ByteTable) -> UInt64 {
            // Wherever tables lie, their fields are read unaligned; the root pointer alone must be on 16 bytes.
            all.append([UInt8](repeating: 0, count: -all.count & 15))
            let address = start + UInt64(all.count)
            all.append(table.bytes)
            return address
        }
        let dsdt = place(DSDT.table(devices: devices))
        let fadt = place(FADT.table(dsdt: dsdt))
        let madt = place(madt)
        var pointers: [UInt8] = []
        for table in [fadt, madt] { pointers += AML.bytes(of: table, 8) }
        let xsdt = place(Self.table("XSDT", revision: 1, body: pointers))
        all.set(Self.rsdp(xsdt: xsdt).bytes, at: 0)
        try memory.put(all, at: start)
        return start
    }

    /// A table with its header and checksum. §5.2.6.
    static func table(_ signature: StaticString, revision: UInt8, body: [UInt8]) -> ByteTable {
        var table = ByteTable(capacity: headerByteCount + body.count)
        table.append(signature)
        table.append(UInt32(headerByteCount + body.count))
        table.append(revision)
        table.append(UInt8(0))
        table.append("FCRUNC")
        table.append("FCRUNCVM")
        table.append(UInt32(1))
        // Who made it: its identifier and version.
        table.append("FCRC")
        table.append(UInt32(1))
        table.append(body)
        table.set(checksum(table.bytes[...]), at: 9)
        return table
    }

    /// What makes the sum of all bytes 0.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt8 { 0 &- bytes.reduce(0, &+) }

    /// The root pointer, §5.2.5.3: revision 2, with no RSDT for 32-bit systems of old.
    private static func rsdp(xsdt: UInt64) -> ByteTable {
        var table = ByteTable(capacity: rsdpByteCount)
        table.append("RSD PTR ")
        table.append(UInt8(0))
        table.append("FCRUNC")
        table.append(UInt8(2))
        table.append(UInt32(0))
        table.append(UInt32(rsdpByteCount))
        table.append(xsdt)
        table.append(UInt32(0))
        table.set(checksum(table.bytes[..<20]), at: 8)
        table.set(checksum(table.bytes[...]), at: 32)
        return table
    }

    /// The interrupt controllers, §5.2.12. Without the flag PCAT_COMPAT there is no 8259.
    private var madt: ByteTable {
        var body = AML.bytes(of: MachineLayout.localAPICAddress, 4) + AML.bytes(of: 0, 4)
        for processor in 0..<processors {
            // A local APIC: the processor's number, the APIC's identifier, enabled.
            body += [0, 8, UInt8(processor), UInt8(processor)] + AML.bytes(of: 1, 4)
        }
        // The I/O APIC: identifier 0, its interrupts from 0 on.
        body += [1, 12, 0, 0] + AML.bytes(of: MachineLayout.ioAPICAddress, 4) + AML.bytes(of: 0, 4)
        return Self.table("APIC", revision: 5, body: body)
    }
}
