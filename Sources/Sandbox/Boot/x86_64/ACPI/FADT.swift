// SPDX-License-Identifier: Apache-2.0
/// The fixed description table, ACPI 6.4 §5.2.9: what the machine does not have, and how it is reset and powered off.
enum FADT {
    /// Offsets in the table, its header included.
    private enum Field {
        static let bootFlags = 109
        static let flags = 112
        static let resetRegister = 116
        static let resetValue = 128
        static let minorVersion = 131
        static let dsdt = 140
        static let sleepControl = 244
        static let sleepStatus = 256
        static let hypervisor = 268
        static let end = 276
    }

    /// IAPC_BOOT_ARCH: no VGA, no CMOS clock. The bits for legacy devices and for a keyboard controller stay clear.
    /// Without these Linux looks for each, and the clock's driver waits for an answer.
    private static let bootFlags: UInt16 = 1 << 2 | 1 << 5
    /// Fixed features: WBINVD works, no power button, no sleep button, the reset register is there, headless,
    /// hardware-reduced.
    private static let flags: UInt32 = 1 << 0 | 1 << 4 | 1 << 5 | 1 << 10 | 1 << 12 | 1 << 20

    static func table(dsdt: UInt64) -> ByteTable {
        let header = 36
        var body = ByteTable(zeros: Field.end - header)
        body.set(bootFlags, at: Field.bootFlags - header)
        body.set(flags, at: Field.flags - header)
        body.set(port(Port.reset), at: Field.resetRegister - header)
        body.set(MachineLayout.resetValue, at: Field.resetValue - header)
        // ACPI 6.3.
        body.set(UInt8(3), at: Field.minorVersion - header)
        body.set(dsdt, at: Field.dsdt - header)
        body.set(port(Port.sleepControl), at: Field.sleepControl - header)
        body.set(port(Port.sleepStatus), at: Field.sleepStatus - header)
        body.set(AML.ascii("FCRUNCVM"), at: Field.hypervisor - header)
        return ACPITables.table("FACP", revision: 6, body: body.bytes)
    }

    /// A generic address of one byte in I/O space, §5.2.3.2: space, bits, first bit, access size, address.
    private static func port(_ port: UInt16) -> [UInt8] { [1, 8, 0, 1] + AML.bytes(of: UInt64(port), 8) }
}
