// SPDX-License-Identifier: Apache-2.0
/// How a guest's kernel learns of its virtio devices.
public enum DeviceDiscovery: String, Hashable, Sendable, CaseIterable {
    /// From what a machine's firmware describes: PCI, or ACPI's tables. Every distribution's kernel.
    case firmware
    /// From its command line, `virtio_mmio.device=<size>@<address>:<interrupt>` each: it need know neither PCI nor ACPI.
    case commandLine = "command-line"

    /// The file beside a kernel that says so, in one line: `vmlinux.devices` for `vmlinux`. A kernel without one learns
    /// of its devices from firmware.
    public static func file(of kernelPath: String) -> String { kernelPath + ".devices" }
}
