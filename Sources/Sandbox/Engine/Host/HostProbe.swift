// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// One requirement of the runtime, and whether the host meets it.
public struct HostItem: Hashable, Sendable {
    /// Whether it is met, why not, and what to do about it.
    public enum State: Hashable, Sendable {
        case available(detail: String)
        /// Missing, and the runtime can do without it.
        case lacking(cause: String, cure: String)
        /// Missing, and nothing runs without it.
        case missing(cause: String, cure: String)
    }

    /// For a person.
    public var name: String
    /// Whether the host meets it.
    public var state: State

    /// A requirement, and whether it is met.
    public init(_ name: String, _ state: State) {
        self.name = name
        self.state = state
    }

    /// Whether it is met, or the runtime can do without it.
    public var isSatisfied: Bool {
        if case .missing = state { return false }
        return true
    }
}

/// Where the programs and files are that a sandbox needs.
public struct HostParts: Hashable, Sendable {
    /// An absolute path, as those that follow.
    public var qemu: String
    /// The kernel that guests boot.
    public var guestKernel: String
    /// The initramfs with the agent.
    public var guestInitramfs: String
    /// fc-jailer, fc-vmm, fc-fsd, fc-proxy: by name, absolute paths.
    public var programs: [String]

    /// Absolute paths.
    public init(qemu: String, guestKernel: String, guestInitramfs: String, programs: [String]) {
        self.qemu = qemu
        self.guestKernel = guestKernel
        self.guestInitramfs = guestInitramfs
        self.programs = programs
    }
}

/// Checks the host for all that a sandbox needs, and says what to do about what is missing.
public enum HostProbe {
    /// Every item, in the order in which they are shown.
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
            let name = program.pathNames.last ?? program
            items.append(self.program(name, program))
        }
        return items
    }

    /// - Parameter access: as access(2) has it: `R_OK`, `X_OK` or `F_OK`. After a failure errno says why.
    static func isAccessible(_ path: String, _ access: Int32) -> Bool {
        // access(2) reads the string and keeps nothing.
        unsafe Glibc.access(path, access) == 0
    }

    static func virtualization(_ hardware: HardwareVirtualization) -> HostItem {
        switch hardware {
        case .usable: HostItem("hardware virtualization", .available(detail: "/dev/kvm runs a virtual processor"))
        case .unusable(let cause, let cure): HostItem("hardware virtualization", .lacking(cause: cause, cure: cure))
        }
    }
}
