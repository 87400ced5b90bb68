// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// The processors and interrupts for a kernel without ACPI: Intel's MultiProcessor Specification 1.4, chapter 4. What
/// such a kernel cannot learn from it, its devices, stands on its command line (`CommandLine.withoutACPI(_:)`).
struct MPTable {
    let processors: Int
    let devices: [DeviceSlot]

    /// The floating pointer, where kernels look for it, below the last 64 KiB of the first MiB; the table follows.
    private static let address: UInt64 = 0xf_0000
    private static let pointerByteCount = 16
    private static let headerByteCount = 44
    private static let revision: UInt8 = 4
    private static let isaBus: UInt8 = 0

    func write(to memory: GuestMemory) throws(BootError) {
        var all = ByteTable()
        all.append(Self.pointer.bytes)
        all.append(table.bytes)
        try memory.put(all, at: Self.address)
    }

    /// §4.1.
    private static var pointer: ByteTable {
        var pointer = ByteTable(capacity: pointerByteCount)
        pointer.append("_MP_")
        pointer.append(UInt32(address) + UInt32(pointerByteCount))
        // One paragraph long; no default configuration, no mode of the 8259 to leave.
        pointer.append([1, revision, 0, 0, 0, 0, 0, 0])
        pointer.set(checksum(pointer.bytes), at: 10)
        return pointer
    }

    /// §4.2 and the entries of §4.3.
    private var table: ByteTable {
        // Identifiers of I/O APICs and of processors must differ.
        let controller = UInt8(processors)
        var entries: [[UInt8]] = []
        for processor in 0..<processors {
            // Enabled, the first one the bootstrap processor. Signature and features are for those without CPUID.
            entries.append([0, UInt8(processor), 0x14, processor == 0 ? 3 : 1] + [UInt8](repeating: 0, count: 16))
        }
        entries.append([1, Self.isaBus] + AML.ascii("ISA   "))
        entries.append([2, controller, 0x11, 1] + AML.bytes(of: MachineLayout.ioAPICAddress, 4))
        for gsi in ([MachineLayout.serialGSI] + devices.map(\.gsi)).sorted() {
            // A vectored interrupt, as its bus has it: on ISA edge-triggered and active high. The number is the pin's.
            entries.append([3, 0, 0, 0, Self.isaBus, UInt8(gsi), controller, UInt8(gsi)])
        }
        var table = ByteTable()
        table.append("PCMP")
        table.append(UInt16(Self.headerByteCount + entries.reduce(0) { $0 + $1.count }))
        table.append([Self.revision, 0])
        table.append("FC-RUNC ")
        table.append("FCRUNCVM    ")
        // No table of a maker's own.
        table.append([UInt8](repeating: 0, count: 6))
        table.append(UInt16(entries.count))
        table.append(UInt32(MachineLayout.localAPICAddress))
        // No extended entries.
        table.append(UInt32(0))
        for entry in entries { table.append(entry) }
        table.set(Self.checksum(table.bytes), at: 7)
        return table
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt8 { 0 &- bytes.reduce(0, &+) }
}
