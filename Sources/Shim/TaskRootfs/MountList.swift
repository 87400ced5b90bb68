// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
public import SandboxPlan

/// The bounds on what a client lists; far above what snapshotters do.
enum Limit {
    static let mounts = 64
    /// Of one mount.
    static let options = 256
    /// Of one option. The longest is a list of 500 lower directories, which is overlayfs's own limit.
    static let option = 1 << 20
    /// PATH_MAX less its NUL.
    static let path = 4095
    static let name = 64
    /// Mounts upon one another on one rootfs.
    static let layers = 4096
}

extension TaskRootfs {
    /// Looks at the list without touching anything but a disk's status.
    ///
    /// - Returns: the disk that the root is on, or nil where the list is to be mounted here.
    public static func classify(_ mounts: [RootMount]) throws(TaskRootfsError) -> RootDisk? {
        guard mounts.count <= Limit.mounts else { throw .tooManyMounts(mounts.count, limit: Limit.mounts) }
        var disk: RootDisk?
        for mount in mounts {
            try checkLengths(mount)
            let words = try MountWords(mount)
            if words.isBind {
                guard !words.isLoop else { throw .unsupportedOption("loop", type: mount.type) }
                if let option = words.rest.first { throw .unsupportedOption(option, type: mount.type) }
                try checkPath(mount.source, "mount source")
            } else if diskTypes.contains(mount.type) {
                guard mounts.count == 1 else { throw .diskAmongOthers(type: mount.type, mountCount: mounts.count) }
                guard isRoot(mount.target) else { throw .diskWithTarget(type: mount.type, target: mount.target) }
                disk = try self.disk(mount, words)
            } else {
                guard hostTypes.contains(mount.type) else { throw .unsupportedType(mount.type) }
                guard !words.isLoop else { throw .unsupportedOption("loop", type: mount.type) }
                if mount.type == "overlay" { _ = try TaskRootfs.overlayOptions(mount, words) }
            }
            if mount.target.pathNames.contains("..") || mount.target.utf8.contains(0) {
                throw .target(mount.target)
            }
        }
        return disk
    }

    /// File systems on disks, which the guest mounts.
    static let diskTypes: Set<String> = ["ext4", "xfs", "erofs", "squashfs"]
    /// File systems that the host mounts. Those of the last two have snapshots, which only who mounts all of them has.
    static let hostTypes: Set<String> = ["overlay", "tmpfs", "btrfs", "zfs"]

    static func isRoot(_ target: String) -> Bool { target.allSatisfy { $0 == "/" } }

    private static func disk(_ mount: RootMount, _ words: MountWords) throws(TaskRootfsError) -> RootDisk {
        try checkPath(mount.source, "disk")
        let status: FileNode.Status
        do {
            // Devices of the mapper are named by symlinks.
            let file = try FileDescriptor.open(mount.source, .path)
            status = try FileNode.status(of: file.borrowed)
        } catch {
            throw .disk(path: mount.source, error)
        }
        guard status.kind == S_IFBLK || status.isRegularFile else {
            throw .notADisk(path: mount.source, found: status.isDirectory ? "a directory" : "a special file")
        }
        return RootDisk(
            path: mount.source, type: mount.type,
            options: mount.options.filter { !["", "ro", "rw", "loop", "direct-io", "defaults"].contains($0) },
            isReadOnly: words.attributes.contains(.readOnly))
    }

    static func checkPath(_ path: String, _ what: String) throws(TaskRootfsError) {
        guard path.begins(with: "/"), !path.utf8.contains(0) else { throw .relativePath(what: what, path) }
    }

    private static func checkLengths(_ mount: RootMount) throws(TaskRootfsError) {
        try check(mount.type, "mount type", Limit.name)
        try check(mount.source, "mount source", Limit.path)
        try check(mount.target, "mount target", Limit.path)
        guard mount.options.count <= Limit.options else {
            throw .tooManyOptions(type: mount.type, mount.options.count, limit: Limit.options)
        }
        for option in mount.options { try check(option, "mount option", Limit.option) }
    }

    private static func check(_ text: String, _ what: String, _ limit: Int) throws(TaskRootfsError) {
        if text.utf8.count > limit { throw .tooLong(what: what, byteCount: text.utf8.count, limit: limit) }
    }
}
