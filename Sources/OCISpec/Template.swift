// SPDX-License-Identifier: Apache-2.0
extension Spec {
    /// The document `spec` writes for a new bundle: what `runc spec` writes, in its order.
    public static func template() -> Spec {
        var spec = Spec()
        spec.ociVersion = newestVersion
        spec.root = Root(path: "rootfs", readonly: true)
        spec.hostname = "runc"
        spec.process = templateProcess()
        spec.mounts = [
            Mount(destination: "/proc", type: "proc", source: "proc"),
            Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Mount(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
            Mount(
                destination: "/dev/shm", type: "tmpfs", source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            Mount(
                destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
            Mount(
                destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
            Mount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: ["nosuid", "noexec", "nodev", "relatime", "ro"]),
        ]
        var denyAllDevices = Linux.Resources.DeviceRule()
        denyAllDevices.access = "rwm"
        var linux = Linux()
        linux.resources = Linux.Resources()
        linux.resources?.devices = [denyAllDevices]
        // The cgroup namespace is there because the guest has cgroup v2; runc looks at its host for the same rule.
        linux.namespaces = [.pid, .network, .ipc, .uts, .mount, .cgroup].map { Linux.Namespace(type: $0) }
        linux.maskedPaths = [
            "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
            "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi", "/sys/devices/virtual/tpm",
        ]
        linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        spec.linux = linux
        return spec
    }

    private static func templateProcess() -> Process {
        let kept = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        var process = Process()
        process.terminal = true
        process.args = ["sh"]
        process.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]
        process.cwd = "/"
        process.capabilities = Process.Capabilities()
        process.capabilities?.bounding = kept
        process.capabilities?.effective = kept
        process.capabilities?.permitted = kept
        process.rlimits = [Process.Rlimit(type: .noFile, hard: 1024, soft: 1024)]
        process.noNewPrivileges = true
        return process
    }

    /// The template as `runc spec --rootless` writes it for the user with these ids. It asks for a user namespace:
    /// `unsupportedFields` says whether this runtime gives one.
    public static func rootlessTemplate(uid: UInt32, gid: UInt32) -> Spec {
        var spec = template()
        spec.linux?.namespaces.removeAll { $0.type == .network }
        spec.linux?.namespaces.append(Linux.Namespace(type: .user))
        spec.linux?.uidMappings = [Linux.IDMapping(containerID: 0, hostID: uid, size: 1)]
        spec.linux?.gidMappings = [Linux.IDMapping(containerID: 0, hostID: gid, size: 1)]
        spec.linux?.resources = nil
        for (index, mount) in spec.mounts.enumerated() {
            if mount.destination == "/sys" {
                // sysfs is the network namespace's owner's to mount.
                spec.mounts[index] = Mount(
                    destination: "/sys", type: "none", source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "ro"])
            } else {
                spec.mounts[index].options.removeAll {
                    $0.utf8.starts(with: "gid=".utf8) || $0.utf8.starts(with: "uid=".utf8)
                }
            }
        }
        return spec
    }
}
