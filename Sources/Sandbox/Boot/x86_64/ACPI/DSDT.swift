// SPDX-License-Identifier: Apache-2.0
/// The differentiated system description table: which devices there are, and what powers the machine off.
enum DSDT {
    static func table(devices: [DeviceSlot]) -> ByteTable {
        var terms = AML.name(
            "\\_S5_",
            AML.package([AML.integer(MachineLayout.sleepTypeOfS5), AML.integer(0), AML.integer(0), AML.integer(0)]))
        var bus = serial
        for (index, device) in devices.enumerated() { bus += virtio(device, index) }
        terms += AML.scope("\\_SB_", bus)
        // Revision 2: integers have 64 bits.
        return ACPITables.table("DSDT", revision: 2, body: terms)
    }

    /// COM1, a 16550A.
    private static var serial: [UInt8] {
        AML.device(
            AML.path("COM1"),
            AML.name("_HID", AML.eisaID("PNP0501")) + AML.name("_UID", AML.integer(0))
                + Resource.current(
                    Resource.ports(Port.serial, count: UInt8(Port.serialByteCount))
                        + Resource.interrupt(MachineLayout.serialGSI)))
    }

    /// A virtio-mmio device, by the identifier Linux's driver has for it. Its name is V and its number.
    private static func virtio(_ slot: DeviceSlot, _ index: Int) -> [UInt8] {
        let digits = String(index, radix: 16, uppercase: true).utf8
        let name = [UInt8(ascii: "V")] + [UInt8](repeating: UInt8(ascii: "0"), count: 3 - digits.count) + digits
        return AML.device(
            name,
            AML.name("_HID", AML.string("LNRO0005")) + AML.name("_UID", AML.integer(UInt64(index)))
                // The slot was found to be one of the layout's, below 4 GiB.
                + Resource.current(
                    Resource.memory(UInt32(slot.address), byteCount: UInt32(slot.byteCount))
                        + Resource.interrupt(slot.gsi)))
    }
}
