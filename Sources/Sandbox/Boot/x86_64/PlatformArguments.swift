// SPDX-License-Identifier: Apache-2.0
extension CommandLine {
    /// What this machine asks of Linux, each for a reason; to be put in front of what a user wants.
    ///
    /// - `panic=-1`: a panic ends the machine at once; `reboot=panic_warm` so that it can be told (``EndReason``).
    /// - `reboot=acpi`: the reset register first. It is Linux's default; said, no table of quirks is searched.
    /// - `pci=off`: there is none, and looking for one costs two exits a look.
    /// - `8250.nr_uarts=1`: one UART; the other three are not looked for.
    /// - `swiotlb=noforce`: no bounce buffers, 64 MiB in a guest above 4 GiB: virtio here reaches all memory.
    ///
    /// Not needed, as the ACPI tables say it: `i8042.*`, `no_timer_check`, `noapic`, `initcall_blacklist=cmos_init`.
    public static let platform = [
        "panic=-1", "reboot=acpi,panic_warm", "pci=off", "8250.nr_uarts=1", "swiotlb=noforce",
    ]

    /// What tells a kernel of its devices where no ACPI does (`BootSource.Description.mpTable`): registers and interrupt
    /// of each, read by those built with VIRTIO_MMIO_CMDLINE_DEVICES. And that the tables are not to be searched for.
    public static func withoutACPI(_ devices: [DeviceSlot]) -> [String] {
        ["acpi=off"] + devices.map { "virtio_mmio.device=\($0.byteCount / 1024)K@\(hex($0.address)):\($0.gsi)" }
    }
}
