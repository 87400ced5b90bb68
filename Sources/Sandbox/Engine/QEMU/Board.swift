// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// The machine QEMU emulates. guest/BOOT.md has what each choice is worth.
enum Board {
    /// A PC of 2009, as any kernel knows it: PCI, ACPI.
    case q35
    /// No PCI and no ACPI: an MP table for the processors, and virtio devices that QEMU itself adds to the kernel's
    /// command line.
    case microvm

    init(_ discovery: DeviceDiscovery) {
        switch discovery {
        case .firmware: self = .q35
        case .commandLine: self = .microvm
        }
    }

    /// What the names of QEMU's virtio devices end with.
    var bus: String {
        switch self {
        case .q35: "pci"
        case .microvm: "device"
        }
    }

    /// The block device, whose name alone does not follow the rule.
    var disk: String {
        switch self {
        case .q35: "vhost-user-blk-pci"
        case .microvm: "vhost-user-blk"
        }
    }

    /// What a network device is to be without: a way to boot from it, and virtio before 1.0. Emulated, it has no MSI-X
    /// either: until version 9.1 QEMU crashes when vhost-user's netdev starts with it and without KVM.
    func networkOptions(_ accelerator: EngineChoice.Accelerator) -> [(key: String, value: String)] {
        switch (self, accelerator) {
        case (.q35, .tcg): [("romfile", ""), ("disable-legacy", "on"), ("vectors", "0")]
        case (.q35, .kvm): [("romfile", ""), ("disable-legacy", "on")]
        case (.microvm, _): []
        }
    }

    /// What a microVM has no use for is left out: each costs the guest's start something.
    var options: [QEMUOption] {
        switch self {
        case .q35:
            [
                QEMUOption(
                    "machine", "q35",
                    [
                        "smm": "off", "hpet": "off", "usb": "off", "sata": "off", "vmport": "off", "graphics": "off",
                        "memory-backend": "ram",
                    ])
            ]
        case .microvm:
            [
                QEMUOption("machine", "microvm", ["acpi": "off", "memory-backend": "ram"]),
                // Devices of virtio 1, which QEMU's MMIO transport hides by default.
                QEMUOption("global", "virtio-mmio.force-legacy=off"),
            ]
        }
    }

    /// What the guest's command line gets for the board's sake.
    var kernelArguments: [String] {
        switch self {
        case .q35: ["cryptomgr.notests", "initcall_blacklist=blake2s_mod_init,trace_eval_init,trace_eval_sync"]
        // There is nothing else to reset the machine by. A triple fault is one to QEMU as well, and `-no-reboot` makes
        // it the machine's end.
        case .microvm: ["acpi=off", "reboot=triple"]
        }
    }
}
