import CLinux
import Glibc

/// Files by name in open directories, and what they are.
public enum FileNode {
    /// What stat(2) says of a file.
    public struct Status: Sendable {
        let raw: stat

        public var kind: UInt32 { raw.st_mode & S_IFMT }
        public var isDirectory: Bool { kind == S_IFDIR }
        public var isRegularFile: Bool { kind == S_IFREG }
        public var isSymlink: Bool { kind == S_IFLNK }
        public var isCharacterDevice: Bool { kind == S_IFCHR }
        /// The bits of chmod(2).
        public var permissions: UInt32 { raw.st_mode & 0o7777 }
        public var uid: UInt32 { raw.st_uid }
        public var gid: UInt32 { raw.st_gid }
        /// The device a node stands for, as makedev(3).
        public var deviceNumber: UInt64 { UInt64(raw.st_rdev) }
    }

    /// fstat(2); O_PATH descriptors will do.
    public static func status(of file: Int32) throws(Errno) -> Status {
        Status(raw: try Directory.status(of: file))
    }

    /// fstatat(2) of `name` itself, a symlink not followed.
    public static func status(_ name: String, at directory: Int32) throws(Errno) -> Status {
        var status = stat()
        try withPath(name) { (name) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &status) { (pointer) throws(Errno) in
                _ = try unsafe syscall(
                    __NR_newfstatat, Int(directory), name, pointer.argument, CL_AT_SYMLINK_NOFOLLOW)
            }
        }
        return Status(raw: status)
    }

    /// A device number as the kernel packs it, makedev(3).
    public static func deviceNumber(major: UInt32, minor: UInt32) -> UInt64 {
        let (major, minor) = (UInt64(major), UInt64(minor))
        return (minor & 0xff) | (major & 0xfff) << 8 | (minor & ~0xff) << 12 | (major & ~0xfff) << 32
    }

    /// mknodat(2): `mode` is the kind and the permissions, of which the file mode mask takes its part.
    public static func make(_ name: String, at directory: Int32, mode: UInt32, device: UInt64 = 0) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_mknodat, Int(directory), name, Int(mode), Int(device))
        }
    }

    /// symlinkat(2): `name` in `directory` says `target`.
    public static func makeSymlink(_ name: String, at directory: Int32, target: String) throws(Errno) {
        try withPath(target) { (target) throws(Errno) in
            try withPath(name) { (name) throws(Errno) in
                _ = try syscall(__NR_symlinkat, target, Int(directory), name)
            }
        }
    }

    /// fchmodat(2), of a name that is no symlink.
    public static func setPermissions(_ mode: UInt32, of name: String, at directory: Int32) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_fchmodat, Int(directory), name, Int(mode))
        }
    }

    /// fchownat(2), a symlink not followed. `UInt32.max` leaves an owner as it is.
    public static func setOwner(uid: UInt32, gid: UInt32, of name: String, at directory: Int32) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(
                __NR_fchownat, Int(directory), name, Int(Int32(bitPattern: uid)), Int(Int32(bitPattern: gid)),
                CL_AT_SYMLINK_NOFOLLOW)
        }
    }

    /// fchown(2).
    public static func setOwner(uid: UInt32, gid: UInt32, of file: Int32) throws(Errno) {
        try syscall(__NR_fchown, Int(file), Int(Int32(bitPattern: uid)), Int(Int32(bitPattern: gid)))
    }

    /// The kind of file system `file` lies on, statfs(2): one of the numbers of <linux/magic.h>.
    public static func fileSystemKind(of file: Int32) throws(Errno) -> Int {
        // struct statfs, 120 bytes; its first word is f_type.
        var words = [Int](repeating: 0, count: 16)
        try checked(unsafe words.withUnsafeMutableBytes { unsafe answer(__NR_fstatfs, Int(file), $0.argument) })
        return words[0]
    }

    /// syncfs(2): everything written to the file system of `file` has reached its storage.
    public static func synchronize(_ file: Int32) throws(Errno) {
        try syscall(__NR_syncfs, Int(file))
    }

    /// sync(2): the same of every file system there is.
    public static func synchronizeAll() throws(Errno) {
        try syscall(__NR_sync)
    }
}
