// SPDX-License-Identifier: Apache-2.0
/// Resource descriptors, what a _CRS consists of: ACPI 6.4 §6.4.
enum Resource {
    /// Registers in memory, read and written. §6.4.3.4.
    static func memory(_ start: UInt32, byteCount: UInt32) -> [UInt8] {
        [0x86, 9, 0, 1] + AML.bytes(of: UInt64(start), 4) + AML.bytes(of: UInt64(byteCount), 4)
    }

    /// Ports, all 16 address lines decoded. §6.4.2.5.
    static func ports(_ start: UInt16, count: UInt8) -> [UInt8] {
        let start = AML.bytes(of: UInt64(start), 2)
        return [0x47, 1] + start + start + [1, count]
    }

    /// One interrupt, consumed, edge-triggered, active high, shared with nobody. §6.4.3.6.
    static func interrupt(_ gsi: UInt32) -> [UInt8] {
        [0x89, 6, 0, 0b11, 1] + AML.bytes(of: UInt64(gsi), 4)
    }

    /// The _CRS of these descriptors; its end tag has 0 for a checksum, which is taken for right. §6.4.2.9.
    static func current(_ descriptors: [UInt8]) -> [UInt8] {
        AML.name("_CRS", AML.buffer(descriptors + [0x79, 0]))
    }
}
