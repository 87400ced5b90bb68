// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import SandboxPlan

/// What may be mounted where: programs in the container trust /proc, so little may cover it
/// (CVE-2019-16884, CVE-2019-19921).
enum MountRules {
    /// Files of /proc that may be covered, as runc has them.
    private static let coverable: Set<String> = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
        "/proc/loadavg", "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid",
        "/proc/sys/crypto/fips_enabled",
    ]

    static func check(_ mount: MountPlan, sharedDirectory: BorrowedDescriptor) throws(LaunchFailure) {
        let destination = mount.destination.cleanedPath
        guard mount.destination.isAbsolutePath, destination != "/" else {
            throw LaunchFailure(.mount, "mount destination \"\(mount.destination)\" is not allowed")
        }
        if destination == "/proc" {
            if isProc(mount) { return }
            throw LaunchFailure(.mount, "\"\(destination)\" cannot be mounted because it is not of type proc")
        }
        if destination.utf8.starts(with: "/proc/".utf8), !coverable.contains(destination) {
            throw LaunchFailure(.mount, "\"\(destination)\" cannot be mounted because it is inside /proc")
        }
    }

    private static func isProc(_ mount: MountPlan) -> Bool {
        switch mount.source {
        case .fileSystem(let type, _, _, _): return type == "proc"
        case .guest(let path, _, nil):
            guard let file = try? FileDescriptor.open(path, .path) else { return false }
            return (try? FileNode.fileSystemKind(of: file.borrowed)) == Int(PROC_SUPER_MAGIC)
        case .cgroup, .shared, .guest, .socket: return false
        }
    }

    static func isDirectory(_ path: String) -> Bool {
        guard let file = try? FileDescriptor.open(path, .path) else { return true }
        return (try? Directory.isDirectory(file.borrowed)) ?? true
    }
}
