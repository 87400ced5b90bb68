// SPDX-License-Identifier: Apache-2.0
import Glibc
import SandboxPlan

/// QEMU as the distribution installs it, and what of the host a dynamically linked program of its needs to see.
public struct QEMUInstallation: Hashable, Sendable {
    /// qemu-system-x86_64, absolute.
    public var executable: String

    /// The program at `executable`, with what Debian installs for it.
    public init(executable: String) {
        self.executable = executable
    }

    /// Where firmware lies: qboot.rom, pvh.bin. Debian's, then those of a build from source.
    static let firmwareDirectories = ["/usr/share/qemu", "/usr/local/share/qemu"]
    /// The files the machine of ours opens, and no others.
    static let firmware = ["qboot.rom", "pvh.bin", "kvmvapic.bin"]
    static let firmwarePlace = "/firmware"

    /// The dynamic linker and the folders it looks in. A link on the host, as Debian's /lib, is a folder here.
    static let libraries = [
        "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
    ]

    /// Read-only binds of what is there.
    func mounts() -> [JailMount] {
        // QEMU looks for its modules (TCG is one) from where it lies itself, `bin/../lib`.
        var mounts = [JailMount(source: .host(path: executable), destination: executable, isReadOnly: true)]
        for path in Self.libraries where HostProbe.isAccessible(path, R_OK) {
            mounts.append(JailMount(source: .host(path: path), destination: path, isReadOnly: true))
        }
        for file in Self.firmware {
            let path = Self.firmwareDirectories.map { "\($0)/\(file)" }.first { HostProbe.isAccessible($0, R_OK) }
            guard let path else { continue }
            mounts.append(
                JailMount(source: .host(path: path), destination: "\(Self.firmwarePlace)/\(file)", isReadOnly: true))
        }
        return mounts
    }
}
