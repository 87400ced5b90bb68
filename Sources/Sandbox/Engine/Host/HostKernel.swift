// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroup
import Glibc
import Linux

/// What the probe asks of the kernel.
extension HostProbe {
    static let upgrade = "use Linux 5.12 or later"

    /// System calls that the runtime needs, and that older kernels, or a seccomp filter around this process, do not have.
    static func kernelCalls() -> [HostItem] {
        [
            call("shared memory files (memfd_create)", "use Linux 3.17 or later") { () throws(Errno) in
                _ = try FileDescriptor.memory(named: "probe")
            },
            call("detached mounts (open_tree, mount_setattr)", upgrade) { () throws(Errno) in
                let tree = try Mount.copy("/", recursive: false)
                try Mount.setAttributes(at: tree.borrowed, set: .readOnly)
            },
            call("clone3", upgrade) { () throws(Errno) in
                // An empty structure is refused where the call is known.
                do throws(Errno) {
                    try syscall(__NR_clone3, 0, 0)
                } catch .invalidArgument {}
            },
            call("process descriptors (pidfd_open)", upgrade) { () throws(Errno) in
                _ = try Process.descriptor(of: getpid())
            },
        ]
    }

    static func call(_ name: String, _ cure: String, _ body: () throws(Errno) -> Void) -> HostItem {
        do {
            try body()
            return HostItem(name, .available(detail: "works"))
        } catch {
            let cure = error == .notPermitted ? "run as root, outside a restricted container" : cure
            return HostItem(name, .missing(cause: "\(error)", cure: cure))
        }
    }

    static func cgroups() -> HostItem {
        let name = "cgroups"
        let cure = "mount /sys/fs/cgroup: without it no limit can be set"
        do {
            let layout = try CgroupLayout.current()
            let controllers = try layout.controllers()
            let version = layout.version == .two ? "version 2" : "version 1"
            let wanted = ["cpu", "memory"].filter { !controllers.contains($0) }
            if layout.version == .none {
                return HostItem(name, .lacking(cause: "no hierarchy is mounted", cure: cure))
            } else if !wanted.isEmpty {
                let cause = "\(version) without the controllers \(wanted.joined(separator: ", "))"
                return HostItem(name, .lacking(cause: cause, cure: cure))
            }
            return HostItem(name, .available(detail: "\(version): \(controllers.joined(separator: ", "))"))
        } catch {
            return HostItem(name, .lacking(cause: "\(error)", cure: cure))
        }
    }

    static func namespaces() -> HostItem {
        let absent = ["mnt", "pid", "ipc", "uts", "net", "cgroup"].filter {
            !isAccessible("/proc/self/ns/\($0)", F_OK)
        }
        if absent.isEmpty { return HostItem("namespaces", .available(detail: "mnt, pid, ipc, uts, net, cgroup")) }
        return HostItem(
            "namespaces",
            .missing(
                cause: "not there: \(absent.joined(separator: ", "))",
                cure: "mount /proc, and use a kernel with these namespaces"))
    }

    /// What the jailer and the file server need, by number and name.
    static let neededCapabilities: [(number: Int, name: String)] = [
        (0, "CAP_CHOWN"), (1, "CAP_DAC_OVERRIDE"), (2, "CAP_DAC_READ_SEARCH"), (3, "CAP_FOWNER"), (4, "CAP_FSETID"),
        (5, "CAP_KILL"), (6, "CAP_SETGID"), (7, "CAP_SETUID"), (8, "CAP_SETPCAP"), (12, "CAP_NET_ADMIN"),
        (18, "CAP_SYS_CHROOT"), (21, "CAP_SYS_ADMIN"), (27, "CAP_MKNOD"), (31, "CAP_SETFCAP"),
    ]

    static func capabilities() -> HostItem {
        let status = (try? FileDescriptor.open("/proc/self/status").readAll(limit: 1 << 20)) ?? []
        let line = String(decoding: status, as: UTF8.self).split(at: "\n").lazy.compactMap { $0.after("CapEff:") }.first
        let effective = line?.words.first.flatMap { UInt64($0, radix: 16) } ?? 0
        let absent = neededCapabilities.filter { effective >> UInt64($0.number) & 1 == 0 }.map(\.name)
        if absent.isEmpty { return HostItem("capabilities", .available(detail: "all that are needed")) }
        return HostItem(
            "capabilities", .missing(cause: "not in effect: \(absent.joined(separator: ", "))", cure: "run as root"))
    }

    static func tunnel() -> HostItem {
        let name = "network tunnel (/dev/net/tun)"
        do {
            _ = try FileDescriptor.open("/dev/net/tun", .readWrite)
            return HostItem(name, .available(detail: "opens"))
        } catch {
            return HostItem(name, .lacking(cause: "\(error)", cure: "load the module tun"))
        }
    }
}
