// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

extension Mount {
    /// umount2(2) of `name` in the current directory, or any path, no symlink followed at its end.
    ///
    /// - Parameter isLazy: MNT_DETACH: the mount and all on it leave the tree now, and go when nothing uses them.
    /// - Throws: `EINVAL` where nothing is mounted there, `EBUSY` where something is used and `isLazy` is false.
    public static func unmake(_ name: String, isLazy: Bool) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_umount2, name, CL_UMOUNT_NOFOLLOW | (isLazy ? CL_MNT_DETACH : 0))
        }
    }

    /// Takes the mount whose root the open `file` is out of the tree, with all on it.
    public static func detach(root file: BorrowedDescriptor) throws(Errno) {
        try withPath(file.path) { (name) throws(Errno) in
            _ = try syscall(__NR_umount2, name, CL_MNT_DETACH)
        }
    }

    /// mount(2), as it was before file systems had contexts.
    ///
    /// - Parameters:
    ///   - flags: MS_*, of mount(2).
    ///   - data: the options, joined by commas: less than a page.
    public static func makeAtOnce(
        _ type: String, source: String, on target: String, flags: UInt, data: String
    ) throws(Errno) {
        try withPath(type) { (type) throws(Errno) in
            try withPath(source) { (source) throws(Errno) in
                try withPath(target) { (target) throws(Errno) in
                    try withPath(data) { (data) throws(Errno) in
                        _ = try syscall(__NR_mount, source, target, type, Int(bitPattern: flags), data)
                    }
                }
            }
        }
    }
}

extension Process {
    /// fchdir(2): the current directory is what `directory` is open on, which must not be O_PATH without search
    /// permission.
    public static func changeDirectory(to directory: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_fchdir, directory.argument)
    }
}
