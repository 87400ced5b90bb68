/// The kernel's command line.
public enum CommandLine {
    /// COMMAND_LINE_SIZE of x86 Linux, its terminating NUL included.
    static let maximumByteCount = 2048

    /// What this machine asks of Linux, each for a reason; to be put in front of what a user wants.
    ///
    /// - `panic=-1`: a panic ends the machine at once; `reboot=panic_warm` so that it can be told (``EndReason``).
    /// - `reboot=acpi`: the reset register first. It is Linux's default; said, no table of quirks is searched.
    /// - `pci=off`: there is none; nobody needs to look for one, at two exits a look.
    /// - `8250.nr_uarts=1`: one UART; the other three are not looked for.
    /// - `swiotlb=noforce`: no bounce buffers, 64 MiB in a guest above 4 GiB: virtio here reaches all memory.
    ///
    /// Not needed, as the ACPI tables say it: `i8042.*`, `no_timer_check`, `noapic`, `initcall_blacklist=cmos_init`.
    public static let platform = [
        "panic=-1", "reboot=acpi,panic_warm", "pci=off", "8250.nr_uarts=1", "swiotlb=noforce",
    ]

    /// What tells a kernel of its devices where no ACPI does (`BootSource.Description.mpTable`): registers and interrupt
    /// of each, read by those built with VIRTIO_MMIO_CMDLINE_DEVICES. And that nobody need search for the tables.
    public static func withoutACPI(_ devices: [DeviceSlot]) -> [String] {
        ["acpi=off"] + devices.map { "virtio_mmio.device=\($0.byteCount / 1024)K@\(hex($0.address)):\($0.gsi)" }
    }

    /// The bytes with the NUL at the end.
    ///
    /// - Parameter limit: how many bytes the kernel takes, without the NUL.
    static func bytes(of line: String, limit: Int) throws(BootError) -> ByteTable {
        let bytes = Array(line.utf8)
        guard bytes.count <= limit else { throw .commandLineTooLong(byteCount: bytes.count, limit: limit) }
        if let offset = bytes.firstIndex(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw .commandLineByte(bytes[offset], offset: offset)
        }
        var table = ByteTable(capacity: bytes.count + 1)
        table.append(bytes)
        table.append(UInt8(0))
        return table
    }
}
