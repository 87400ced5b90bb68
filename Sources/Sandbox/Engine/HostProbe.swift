/// One thing the host offers, or does not.
public struct HostItem: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case available(detail: String)
        /// Not there, and there is a way without it.
        case lacking(cause: String, cure: String)
        /// Not there, and nothing runs without it.
        case missing(cause: String, cure: String)
    }

    public var name: String
    public var state: State

    public init(_ name: String, _ state: State) {
        self.name = name
        self.state = state
    }

    /// Whether the runtime can do without it, or has it.
    public var isSatisfied: Bool {
        if case .missing = state { return false }
        return true
    }
}

/// What has to be on the host for a sandbox, where it was looked for.
public struct HostParts: Hashable, Sendable {
    public var qemu: String
    public var guestKernel: String
    public var guestInitramfs: String
    /// fc-jailer, fc-vmm, fc-fsd, fc-proxy: by name, absolute paths.
    public var programs: [String]

    public init(qemu: String, guestKernel: String, guestInitramfs: String, programs: [String]) {
        self.qemu = qemu
        self.guestKernel = guestKernel
        self.guestInitramfs = guestInitramfs
        self.programs = programs
    }
}

/// Asks the host, item by item, what a sandbox needs, and says what to do about what is not there.
public enum HostProbe {
    /// Every item, in the order a person wants to read them.
    public static func items(_ parts: HostParts) -> [HostItem] {
        var items = [virtualization(.probe())]
        items += qemu(parts.qemu)
        items += kernelCalls()
        items += [cgroups(), namespaces(), capabilities(), tunnel()]
        items += [
            file("guest kernel", parts.guestKernel, cure: "build the guest image, or name another kernel"),
            file("guest initramfs", parts.guestInitramfs, cure: "build the guest image, or name another initramfs"),
        ]
        for program in parts.programs {
            let name = program.split(separator: "/").last.map(String.init) ?? program
            items.append(self.program(name, program))
        }
        return items
    }

    static func virtualization(_ hardware: HardwareVirtualization) -> HostItem {
        switch hardware {
        case .usable: HostItem("hardware virtualization", .available(detail: "/dev/kvm runs a virtual processor"))
        case .unusable(let cause, let cure): HostItem("hardware virtualization", .lacking(cause: cause, cure: cure))
        }
    }
}
