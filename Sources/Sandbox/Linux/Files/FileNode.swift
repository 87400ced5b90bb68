// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Files by name in open directories, and what they are.
public enum FileNode {
    /// What stat(2) says of a file.
    public struct Status: Sendable {
        let raw: stat

        /// S_IFMT of the mode: S_IFREG, S_IFDIR and so on.
        public var kind: UInt32 { raw.st_mode & S_IFMT }
        /// S_ISDIR.
        public var isDirectory: Bool { kind == S_IFDIR }
        /// S_ISREG.
        public var isRegularFile: Bool { kind == S_IFREG }
        /// S_ISLNK.
        public var isSymlink: Bool { kind == S_IFLNK }
        /// S_ISCHR.
        public var isCharacterDevice: Bool { kind == S_IFCHR }
        /// The bits of chmod(2).
        public var permissions: UInt32 { raw.st_mode & 0o7777 }
        /// The owner.
        public var uid: UInt32 { raw.st_uid }
        /// The group.
        public var gid: UInt32 { raw.st_gid }
        /// The file system's device and the file's number in it, which together are the file.
        public var device: UInt64 { UInt64(raw.st_dev) }
        /// st_ino.
        public var inode: UInt64 { UInt64(raw.st_ino) }
        /// The device a node stands for, as makedev(3).
        public var deviceNumber: UInt64 { UInt64(raw.st_rdev) }
    }

    /// fstat(2); O_PATH descriptors will do.
    public static func status(of file: BorrowedDescriptor) throws(Errno) -> Status {
        Status(raw: try Directory.status(of: file))
    }

    /// fstatat(2) of `name` itself, a symlink not followed.
    public static func status(_ name: String, at directory: BorrowedDescriptor) throws(Errno) -> Status {
        var status = stat()
        try withPath(name) { (name) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &status) { (pointer) throws(Errno) in
                _ = try unsafe syscall(
                    __NR_newfstatat, directory.argument, name, pointer.argument, CL_AT_SYMLINK_NOFOLLOW)
            }
        }
        return Status(raw: status)
    }

    /// Whether the file system of `file`, which may be opened with O_PATH, has POSIX access control lists. Needs /proc.
    public static func hasAccessLists(on file: BorrowedDescriptor) throws(Errno) -> Bool {
        do {
            try withPath(file.path) { (path) throws(Errno) in
                try withPath("system.posix_acl_access") { (name) throws(Errno) in
                    _ = try syscall(__NR_getxattr, path, name, 0, 0)
                }
            }
            return true
        } catch  where error == .notSupported {
            return false
        } catch  where error.rawValue == ENODATA {
            return true
        }
    }

    /// A device number as the kernel packs it, makedev(3).
    public static func deviceNumber(major: UInt32, minor: UInt32) -> UInt64 {
        let (major, minor) = (UInt64(major), UInt64(minor))
        return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xff) << 12 | (major & ~0xfff) << 32
    }

    /// mknodat(2): `mode` is the kind and the permissions, of which the file mode mask takes its part.
    public static func make(
        _ name: String, at directory: BorrowedDescriptor, mode: UInt32, device: UInt64 = 0
    ) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_mknodat, directory.argument, name, Int(mode), Int(device))
        }
    }

    /// symlinkat(2): `name` in `directory` says `target`.
    public static func makeSymlink(_ name: String, at directory: BorrowedDescriptor, target: String) throws(Errno) {
        try withPath(target) { (target) throws(Errno) in
            try withPath(name) { (name) throws(Errno) in
                _ = try syscall(__NR_symlinkat, target, directory.argument, name)
            }
        }
    }

    /// fchmodat(2), of a name that is no symlink.
    public static func setPermissions(
        _ mode: UInt32, of name: String, at directory: BorrowedDescriptor
    ) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_fchmodat, directory.argument, name, Int(mode))
        }
    }

    /// fchownat(2), a symlink not followed. `UInt32.max` leaves an owner as it is.
    public static func setOwner(
        uid: UInt32, gid: UInt32, of name: String, at directory: BorrowedDescriptor
    ) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(
                __NR_fchownat, directory.argument, name, Int(Int32(bitPattern: uid)), Int(Int32(bitPattern: gid)),
                CL_AT_SYMLINK_NOFOLLOW)
        }
    }

    /// fchown(2).
    public static func setOwner(uid: UInt32, gid: UInt32, of file: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_fchown, file.argument, Int(Int32(bitPattern: uid)), Int(Int32(bitPattern: gid)))
    }

    /// The kind of file system `file` lies on, statfs(2): one of the numbers of <linux/magic.h>.
    public static func fileSystemKind(of file: BorrowedDescriptor) throws(Errno) -> Int {
        try fileSystemStatus(of: file)[0]
    }

    /// How many bytes the file system that `file` lies on holds, statfs(2); 0 where it knows no limit.
    public static func fileSystemByteCount(of file: BorrowedDescriptor) throws(Errno) -> UInt64 {
        let words = try fileSystemStatus(of: file)
        let (count, overflow) = UInt64(clamping: words[1]).multipliedReportingOverflow(by: UInt64(clamping: words[2]))
        return overflow ? .max : count
    }

    /// struct statfs, 120 bytes, as words: f_type, f_bsize and f_blocks are the first three.
    private static func fileSystemStatus(of file: BorrowedDescriptor) throws(Errno) -> [Int] {
        var words = [Int](repeating: 0, count: 16)
        try checked(unsafe words.withUnsafeMutableBytes { unsafe answer(__NR_fstatfs, file.argument, $0.argument) })
        return words
    }

    /// getxattr(2) of an open file, O_PATH included; takes /proc.
    ///
    /// - Returns: the length of the extended attribute `name`, in bytes.
    public static func extendedAttributeLength(_ name: String, of file: BorrowedDescriptor) throws(Errno) -> Int {
        try withPath("/proc/thread-self/fd/\(file.rawValue)") { (path) throws(Errno) in
            try withPath(name) { (name) throws(Errno) in try syscall(__NR_getxattr, path, name, 0, 0) }
        }
    }

    /// syncfs(2): everything written to the file system of `file` has reached its storage.
    public static func synchronize(_ file: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_syncfs, file.argument)
    }

    /// sync(2): the same of every file system there is.
    public static func synchronizeAll() throws(Errno) {
        try syscall(__NR_sync)
    }
}
