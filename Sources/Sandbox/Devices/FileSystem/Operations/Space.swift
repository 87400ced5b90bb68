// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// STATFS, SYNCFS, FALLOCATE, LSEEK and COPY_FILE_RANGE.
extension FileServer {
    /// The most that one COPY_FILE_RANGE copies, in bytes: the guest asks again for the rest, and a worker is
    /// not held for minutes.
    private static let copyLimit = 64 << 20

    func fileSystemStatus(_ exchange: Exchange) throws(Errno) {
        let path = try inodes.path(of: try inodes.inode(exchange.inode))
        var status = cl_statfs()
        // fstatfs(2) fills the structure and keeps nothing.
        try unsafe withUnsafeMutablePointer(to: &status) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_fstatfs, path.borrowed.argument, pointer.argument)
        }
        exchange.put(status.blocks)
        exchange.put(status.blocks_free)
        exchange.put(status.blocks_available)
        exchange.put(status.files)
        exchange.put(status.files_free)
        exchange.put(UInt32(truncatingIfNeeded: status.block_size))
        exchange.put(UInt32(truncatingIfNeeded: status.name_limit))
        exchange.put(UInt32(truncatingIfNeeded: status.fragment_size))
        exchange.put(zeros: 28)
    }

    func syncFileSystem(_ exchange: Exchange) throws(Errno) {
        let path = try place(ofDirectory: try inodes.inode(exchange.inode))
        // A place alone is not enough for syncfs(2).
        let directory = FileDescriptor(
            owning: Int32(
                try syscall(
                    __NR_openat, descriptors.borrowed.argument, exchange.paths.number(path.borrowed),
                    Int(O_RDONLY | O_DIRECTORY | O_CLOEXEC))))
        try syscall(__NR_syncfs, directory.borrowed.argument)
    }

    func allocate(_ exchange: Exchange) throws(Errno) {
        let handle = try handles.file(try exchange.load(UInt64.self, at: 0))
        let offset = try exchange.load(Int64.self, at: 8)
        let length = try exchange.load(Int64.self, at: 16)
        let mode = try exchange.load(UInt32.self, at: 24)
        try syscall(__NR_fallocate, handle.borrowed.argument, Int(mode), Int(offset), Int(length))
    }

    /// SEEK_DATA and SEEK_HOLE: where a descriptor stands is the guest's affair.
    func seek(_ exchange: Exchange) throws(Errno) {
        let handle = try handles.file(try exchange.load(UInt64.self, at: 0))
        let offset = try exchange.load(Int64.self, at: 8)
        let whence = try exchange.load(UInt32.self, at: 16)
        guard whence == UInt32(CL_SEEK_DATA) || whence == UInt32(CL_SEEK_HOLE) else { throw .invalidArgument }
        exchange.put(Int64(try syscall(__NR_lseek, handle.borrowed.argument, Int(offset), Int(whence))))
    }

    func copyRange(_ exchange: Exchange) throws(Errno) {
        let source = try handles.file(try exchange.load(UInt64.self, at: 0))
        var sourceOffset = try exchange.load(Int64.self, at: 8)
        let target = try handles.file(try exchange.load(UInt64.self, at: 24))
        var targetOffset = try exchange.load(Int64.self, at: 32)
        let length = try exchange.load(UInt64.self, at: 40)
        guard try exchange.load(UInt64.self, at: 48) == 0 else { throw .invalidArgument }
        let count = Int(min(length, UInt64(Self.copyLimit)))
        // copy_file_range(2) moves both offsets on, and keeps neither address.
        let copied = try unsafe withUnsafeMutablePointer(to: &sourceOffset) { (from) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &targetOffset) { (to) throws(Errno) in
                try unsafe syscall(
                    __NR_copy_file_range, source.borrowed.argument, from.argument, target.borrowed.argument,
                    to.argument,
                    count, 0)
            }
        }
        exchange.put(UInt32(copied))
        exchange.put(UInt32(0))
    }
}
