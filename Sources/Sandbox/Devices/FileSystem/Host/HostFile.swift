// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// The few calls that name a file of the host: by one component below an open directory, or by nothing but
/// the descriptor. No call here follows a symbolic link.
enum HostFile {
    private static let nothing: StaticString = ""

    /// The address of an empty name, which with AT_EMPTY_PATH means the descriptor itself.
    // A constant of the program: its address holds for ever.
    static var noName: Int { unsafe nothing.utf8Start.argument }

    private static let statusMask = Int(CL_STATX_BASIC_STATS) | Int(CL_STATX_BTIME) | Int(CL_STATX_MNT_ID)

    /// statx(2) of the entry at the address `name` in `directory`.
    static func status(in directory: BorrowedDescriptor, name: Int) throws(Errno) -> cl_statx {
        try status(directory, name, CL_AT_SYMLINK_NOFOLLOW | CL_AT_NO_AUTOMOUNT)
    }

    /// statx(2) of an open file.
    static func status(of descriptor: BorrowedDescriptor) throws(Errno) -> cl_statx {
        try status(descriptor, noName, CL_AT_EMPTY_PATH)
    }

    private static func status(_ directory: BorrowedDescriptor, _ name: Int, _ flags: Int) throws(Errno) -> cl_statx {
        var status = cl_statx()
        // statx(2) fills the structure and keeps nothing.
        try unsafe withUnsafeMutablePointer(to: &status) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_statx, directory.argument, name, flags, statusMask, pointer.argument)
        }
        return status
    }

    /// The entry at the address `name` in `directory`, opened as a place only: no device is touched and no
    /// fifo waited for.
    static func path(in directory: BorrowedDescriptor, name: Int) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            owning: Int32(
                try syscall(__NR_openat, directory.argument, name, CL_O_PATH | Int(O_NOFOLLOW) | Int(O_CLOEXEC))))
    }
}

/// What tells one file of the host from every other that is there at the same time: the same file under two
/// mounts counts as two, for one of them may be read-only.
struct FileIdentity: Hashable {
    let device: UInt64
    let inode: UInt64
    let mount: UInt64

    init(_ status: cl_statx) {
        device = UInt64(status.device_major) << 32 | UInt64(status.device_minor)
        inode = status.inode
        mount = status.mount_id
    }
}

extension cl_statx {
    /// S_IFMT of the mode.
    var kind: UInt32 { UInt32(mode) & 0o170000 }
    var isDirectory: Bool { kind == 0o040000 }
    var isRegular: Bool { kind == 0o100000 }

    /// When the file was made, in nanoseconds; 0 where the file system does not say. It tells a file from a
    /// later one that got the same inode number.
    var creationTime: Int64 {
        mask & UInt32(CL_STATX_BTIME) == 0 ? 0 : created.seconds &* 1_000_000_000 &+ Int64(created.nanoseconds)
    }
}
