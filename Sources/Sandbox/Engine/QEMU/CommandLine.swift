// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// QEMU's command line: nothing but what is named here, every device of a guest's that matters over vhost-user.
extension QEMUEngine {
    /// Places in the jail.
    static let kernel = "/vmlinux"
    static let initramfs = "/initramfs"

    func arguments(for machine: MachinePlan) -> [String] {
        let mebibytes = "\(machine.memoryByteCount >> 20)M"
        let board = Board(machine.deviceDiscovery)
        var options =
            board.options + [
                // Shared, so that fc-vmm and fc-fsd can map it.
                QEMUOption("object", "memory-backend-memfd", ["id": "ram", "size": mebibytes, "share": "on"]),
                QEMUOption("smp", "\(machine.vcpuCount)"),
                QEMUOption("m", mebibytes),
                processor,
                acceleration,
                QEMUOption("chardev", "socket", ["id": "vsock", "fd": "3"]),
                QEMUOption("device", "vhost-user-vsock-\(board.bus)", ["chardev": "vsock"]),
                QEMUOption("chardev", "socket", ["id": "fs", "fd": "4"]),
                QEMUOption(
                    "device", "vhost-user-fs-\(board.bus)",
                    ["chardev": "fs", "tag": GuestConvention.sharedTag, "queue-size": "1024"]),
                QEMUOption("chardev", "socket", ["id": "console", "fd": "5"]),
                QEMUOption("serial", "chardev:console"),
                QEMUOption("sandbox", "on", Self.sandbox),
            ]
        if machine.reportsFreeMemory {
            // QEMU's own: it alone can take pages out of the machine's memory.
            options.append(
                QEMUOption(
                    "device", "virtio-balloon-\(board.bus)",
                    ["free-page-reporting": "on", "deflate-on-oom": "on"]))
        }
        for index in machine.disks.indices {
            let channel = Self.firstDiskChannel + Int32(index)
            options += [
                QEMUOption("chardev", "socket", ["id": "disk\(index)", "fd": "\(channel)"]),
                // One queue of fc-vmm's size; what is written is cached as fc-vmm says.
                QEMUOption(
                    "device", board.disk,
                    ["chardev": "disk\(index)", "num-queues": "1", "queue-size": "256", "config-wce": "off"]),
            ]
        }
        for slot in machine.networkSlots { options += network(slot, board) }
        return ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]
            + options.flatMap(\.words)
            + [
                "-L", QEMUInstallation.firmwarePlace, "-bios", "qboot.rom",
                "-kernel", Self.kernel, "-initrd", Self.initramfs,
                // The whole rest of the word is the guest's command line: no comma means anything here.
                "-append", kernelArguments(for: machine).joined(separator: " "),
            ]
    }

    /// A network device, whose frames are fc-vmm's. The driver's control queue would be QEMU's own, and is left out with all
    /// that needs it.
    private func network(_ slot: NetworkSlot, _ board: Board) -> [QEMUOption] {
        let address = slot.hardwareAddress.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        var device = QEMUOption(
            "device", "virtio-net-\(board.bus)",
            [
                "netdev": slot.id, "mac": address.joined(separator: ":"), "ctrl_vq": "off", "ctrl_rx": "off",
                "ctrl_vlan": "off", "ctrl_rx_extra": "off", "ctrl_mac_addr": "off", "ctrl_guest_offloads": "off",
                "guest_announce": "off", "mq": "off",
            ])
        device.values += board.networkOptions(accelerator)
        return [
            QEMUOption("chardev", "socket", ["id": slot.id, "path": "\(NetworkChannels.place)/\(slot.id)"]),
            QEMUOption("netdev", "vhost-user", ["id": slot.id, "chardev": slot.id]),
            device,
        ]
    }

    /// Programs are built for x86-64-v2 and v3 by now. Translated, five levels of page tables only cost, and "fast
    /// string operations" make kernel and programs copy and clear memory by the byte.
    var processor: QEMUOption {
        switch accelerator {
        case .tcg: QEMUOption("cpu", "max", ["la57": "off", "erms": "off", "fsrm": "off"])
        case .kvm: QEMUOption("cpu", "host")
        }
    }

    var acceleration: QEMUOption {
        switch accelerator {
        case .tcg:
            QEMUOption("accel", "tcg", ["thread": "multi", "tb-size": "\(Self.translationCacheMebibytes)"])
        case .kvm:
            QEMUOption("accel", "kvm")
        }
    }

    /// QEMU's own seccomp filter: no fork, no exec, no other user, no priorities.
    static let sandbox: KeyValuePairs<String, String> = [
        "obsolete": "deny", "elevateprivileges": "deny", "spawn": "deny", "resourcecontrol": "deny",
    ]

    /// The guest's command line before the plan's own arguments; guest/BOOT.md has what each is worth. The
    /// console is the serial line; a panic restarts the machine at once, which `-no-reboot` makes its end.
    func kernelArguments(for machine: MachinePlan) -> [String] {
        var arguments = ["console=ttyS0", "quiet", "panic=-1"] + Board(machine.deviceDiscovery).kernelArguments
        // The host does not speculate on code it translates.
        if accelerator == .tcg { arguments.append("mitigations=off") }
        // The check waits for ten ticks of the PIT, finds too few on a busy host, and panics.
        if accelerator == .tcg { arguments.append("no_timer_check") }
        if accelerator == .tcg, machine.deviceDiscovery == .commandLine,
            let kilohertz = HostTimestampCounter.kilohertz()
        {
            arguments += ["tsc_early_khz=\(kilohertz)", "tsc=reliable"]
        }
        if accelerator == .tcg, machine.vcpuCount == 1 { arguments += ["nolapic_timer", "noreplace-smp"] }
        return arguments + machine.kernelArguments
    }
}
