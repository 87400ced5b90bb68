// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The options every command takes.
struct GlobalOptions: ParsableArguments {
    @Flag(help: "Log more.")
    var debug = false

    @Option(help: "The file to log to, instead of standard error.")
    var log: String?

    @Option(help: "The log's format: text or json.")
    var logFormat = "text"

    @Option(help: "The directory that keeps the containers' states. (default: /run/fc-runc)")
    var root: String?

    @Flag(help: "Not supported: cgroups are made directly.")
    var systemdCgroup = false

    @Option(help: "What runs the virtual machine: auto, kvm or qemu.")
    var engine: String?

    @Option(help: "The configuration file. (default: /etc/fc-runc/config.toml)")
    var config: String?

    @Option(help: "The directory of fc-jailer, fc-proxy, fc-vmm and fc-fsd.")
    var libexec: String?

    @Option(help: "The guest's kernel.")
    var kernel: String?

    @Option(help: "The guest's initramfs.")
    var initramfs: String?

    @Option(help: "The program of engine qemu.")
    var qemu: String?
}
