// SPDX-License-Identifier: Apache-2.0
public import Engine

extension Runtime {
    /// What the host offers, item by item, and last the engine that would be taken.
    public func check() -> [HostItem] {
        let parts = options.parts
        let programs = ["fc-jailer", "fc-proxy", "fc-vmm", "fc-fsd"].map(parts.program)
        var items = HostProbe.items(
            HostParts(qemu: parts.qemu, guestKernel: parts.kernel, guestInitramfs: parts.initramfs, programs: programs))
        do {
            let choice = try EngineChoice.make(options.engine, hardware: .probe())
            items.append(HostItem("engine", .available(detail: choice.reason)))
        } catch {
            items.append(
                HostItem("engine", .missing(cause: "\(error)", cure: "use --engine auto, or engine = \"auto\"")))
        }
        return items
    }
}
