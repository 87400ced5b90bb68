// SPDX-License-Identifier: Apache-2.0
import CLinux

extension Mount {
    /// move_mount(2): takes the mount at `source` to `path` below the open directory `directory`.
    public static func move(_ source: String, on directory: BorrowedDescriptor, path: String) throws(Errno) {
        try withPath(source) { (source) throws(Errno) in
            try withPath(path) { (path) throws(Errno) in
                _ = try syscall(__NR_move_mount, CL_AT_FDCWD, source, directory.argument, path, 0)
            }
        }
    }
}
