// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Mounts as file descriptors, with the calls of Linux 5.2 and later: a mount is made or copied detached,
/// given its attributes, and then attached to a place that is itself an open descriptor, so that no path is
/// resolved twice.
public enum Mount {
    /// Attributes of one mount, mount_setattr(2).
    public struct Attributes: OptionSet, Sendable {
        /// MOUNT_ATTR_ bits.
        public let rawValue: UInt64
        /// The attributes with these bits.
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// MOUNT_ATTR_RDONLY.
        public static let readOnly = Attributes(rawValue: 0x1)
        /// MOUNT_ATTR_NOSUID.
        public static let noSetUID = Attributes(rawValue: 0x2)
        /// MOUNT_ATTR_NODEV.
        public static let noDevices = Attributes(rawValue: 0x4)
        /// MOUNT_ATTR_NOEXEC.
        public static let noExecute = Attributes(rawValue: 0x8)
        /// MOUNT_ATTR_NOATIME.
        public static let noAccessTime = Attributes(rawValue: 0x10)
        /// MOUNT_ATTR_STRICTATIME.
        public static let strictAccessTime = Attributes(rawValue: 0x20)
        /// The three bits of which one access-time mode is chosen; clear them before setting one.
        public static let accessTimeMask = Attributes(rawValue: 0x70)
        /// MOUNT_ATTR_NODIRATIME.
        public static let noDirectoryAccessTime = Attributes(rawValue: 0x80)
        /// MOUNT_ATTR_NOSYMFOLLOW.
        public static let noSymlinkFollow = Attributes(rawValue: 0x200000)
    }

    /// open_tree(2) with OPEN_TREE_CLONE: a detached copy of the mount at `path` below `directory`.
    /// `recursive` takes the mounts beneath it as well.
    public static func copy(
        _ path: String, at directory: BorrowedDescriptor = .currentDirectory, recursive: Bool,
        followsLink: Bool = true
    ) throws(Errno) -> FileDescriptor {
        var flags = 1 | Int(O_CLOEXEC) | CL_AT_NO_AUTOMOUNT
        if recursive { flags |= CL_AT_RECURSIVE }
        if !followsLink { flags |= CL_AT_SYMLINK_NOFOLLOW }
        if path.isEmpty { flags |= CL_AT_EMPTY_PATH }
        return try withPath(path) { (name) throws(Errno) in
            FileDescriptor(owning: Int32(try syscall(__NR_open_tree, directory.argument, name, flags)))
        }
    }

    /// fsopen(2), fsconfig(2) and fsmount(2): a new file system of kind `type`, mounted nowhere yet.
    ///
    /// - Parameter options: `key=value` or `key`, each in the file system's own terms.
    public static func make(
        _ type: String, source: String? = nil, options: [String] = [], attributes: Attributes = []
    ) throws(Errno) -> FileDescriptor {
        let context = try FileSystemContext(type)
        if let source { try context.set("source", to: source) }
        for option in options { try context.set(option) }
        return try context.mount(attributes)
    }

    /// move_mount(2): attaches the detached `mount` on `target`, an open directory or file (O_PATH will do),
    /// or on `path` below it.
    public static func attach(
        _ mount: BorrowedDescriptor, on target: BorrowedDescriptor, path: String = ""
    ) throws(Errno) {
        let flags = 0x4 | (path.isEmpty ? 0x40 : 0)
        try withPath("") { (empty) throws(Errno) in
            try withPath(path) { (path) throws(Errno) in
                _ = try syscall(__NR_move_mount, mount.argument, empty, target.argument, path, flags)
            }
        }
    }

    /// How mounts and unmounts travel between copies, mount_namespaces(7).
    public enum Propagation: UInt64, Sendable {
        case `private` = 0x40000
        case slave = 0x80000
        case shared = 0x100000
        case unbindable = 0x20000
    }

    /// mount_setattr(2) on the mount `path` below `directory` (empty: the mount `directory` is open on).
    public static func setAttributes(
        _ path: String = "", at directory: BorrowedDescriptor, set: Attributes = [], clear: Attributes = [],
        propagation: Propagation? = nil, recursive: Bool = false
    ) throws(Errno) {
        var attributes = mount_attr()
        attributes.attr_set = set.rawValue
        attributes.attr_clr = clear.rawValue
        attributes.propagation = propagation?.rawValue ?? 0
        let flags = (path.isEmpty ? CL_AT_EMPTY_PATH : 0) | (recursive ? CL_AT_RECURSIVE : 0)
        try withPath(path) { (name) throws(Errno) in
            try unsafe withUnsafePointer(to: &attributes) { (pointer) throws(Errno) in
                _ = unsafe try syscall(
                    __NR_mount_setattr, directory.argument, name, flags, pointer.argument, MemoryLayout<mount_attr>.size
                )
            }
        }
    }

    /// umount2(2), detaching at once whatever is busy, and following no symlink at the end of `path`.
    public static func detach(_ path: String) throws(Errno) {
        try withPath(path) { (name) throws(Errno) in
            _ = try syscall(__NR_umount2, name, CL_MNT_DETACH | CL_UMOUNT_NOFOLLOW)
        }
    }

    /// Makes the mount `root` the root of this mount namespace and lets go of the old one.
    public static func pivot(to root: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_fchdir, root.argument)
        // pivot_root(2), NOTES: "." on "." stacks the old root on the new, and the unmount takes it away.
        try withPath(".") { (here) throws(Errno) in
            _ = try syscall(__NR_pivot_root, here, here)
            _ = try syscall(__NR_umount2, here, CL_MNT_DETACH)
            _ = try syscall(__NR_chdir, here)
        }
        try withPath("/") { (slash) throws(Errno) in _ = try syscall(__NR_chdir, slash) }
    }
}
