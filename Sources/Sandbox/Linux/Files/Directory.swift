// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Names in directories: making, removing, moving and listing them.
public enum Directory {
    /// mkdirat(2).
    public static func make(
        _ path: String, at directory: BorrowedDescriptor = .currentDirectory,
        mode: UInt32 = 0o755
    ) throws(Errno) {
        try withPath(path) { (name) throws(Errno) in _ = try syscall(__NR_mkdirat, directory.argument, name, Int(mode))
        }
    }

    /// unlinkat(2): removes a name, which `isDirectory` says to be an (empty) directory or not.
    public static func remove(
        _ path: String, at directory: BorrowedDescriptor = .currentDirectory, isDirectory: Bool
    ) throws(Errno) {
        try withPath(path) { (name) throws(Errno) in
            _ = try syscall(__NR_unlinkat, directory.argument, name, isDirectory ? CL_AT_REMOVEDIR : 0)
        }
    }

    /// renameat(2), within one directory; what had the new name is gone.
    public static func rename(_ old: String, to new: String, at directory: BorrowedDescriptor) throws(Errno) {
        try withPath(old) { (old) throws(Errno) in
            try withPath(new) { (new) throws(Errno) in
                _ = try syscall(__NR_renameat2, directory.argument, old, directory.argument, new, 0)
            }
        }
    }

    /// A name in a directory.
    public struct Entry: Hashable, Sendable {
        /// One name, without slashes.
        public var name: String
        /// False as well where the file system does not say.
        public var isDirectory: Bool
    }

    /// getdents64(2): what the open directory holds, without `.` and `..`, in no order. Names that are not
    /// UTF-8 are repaired and so name nothing.
    public static func entries(of directory: BorrowedDescriptor) throws(Errno) -> [Entry] {
        var entries: [Entry] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32768, alignment: 8)
        defer { unsafe buffer.deallocate() }
        while true {
            let count = unsafe try syscall(__NR_getdents64, directory.argument, buffer.argument, buffer.count)
            if count == 0 { return entries }
            var start = 0
            // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name. The kernel fills whole records.
            while start + 19 < count {
                let length = unsafe Int(buffer.loadUnaligned(fromByteOffset: start + 16, as: UInt16.self))
                guard length > 19, length <= count - start else { throw .inputOutput }
                let kind = unsafe buffer[start + 18]
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[(start + 19)..<(start + length)])
                let name = unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                if name != ".", name != ".." { entries.append(Entry(name: name, isDirectory: kind == 4)) }
                start += length
            }
        }
    }

    /// The names of the directories in `directory`.
    public static func subdirectories(of directory: BorrowedDescriptor) throws(Errno) -> [String] {
        try entries(of: directory).filter(\.isDirectory).map(\.name)
    }

    /// readlinkat(2): what the symlink `name` says, at most 4095 bytes.
    public static func link(_ name: String, at directory: BorrowedDescriptor) throws(Errno) -> String {
        try withPath(name) { (name) throws(Errno) in
            var bytes = [UInt8](repeating: 0, count: 4095)
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe cl_syscall(Int(__NR_readlinkat), directory.argument, name, buffer.argument, buffer.count, 0, 0)
            }
            if count < 0 { throw Errno(rawValue: Int32(-count)) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    /// Whether `file`, an open descriptor (O_PATH will do), is a directory.
    public static func isDirectory(_ file: BorrowedDescriptor) throws(Errno) -> Bool {
        try status(of: file).st_mode & S_IFMT == S_IFDIR
    }

    /// The device of the file system that `file`, an open descriptor (O_PATH will do), lies on: st_dev of stat(2).
    public static func device(of file: BorrowedDescriptor) throws(Errno) -> UInt64 {
        UInt64(try status(of: file).st_dev)
    }

    static func status(of file: BorrowedDescriptor) throws(Errno) -> stat {
        var status = stat()
        // fstat writes the structure and touches nothing else.
        guard unsafe fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        return status
    }
}

extension FileDescriptor {
    /// flock(2), exclusive, or shared with others who ask for that.
    ///
    /// - Returns: false where another open file holds the lock. It is let go when the last descriptor on
    ///   this open file is closed.
    public borrowing func tryLock(isShared: Bool = false) throws(Errno) -> Bool {
        do {
            try syscall(__NR_flock, Int(rawValue), Int((isShared ? LOCK_SH : LOCK_EX) | LOCK_NB))
            return true
        } catch  where error == .wouldBlock || error == .interrupted {
            return false
        }
    }
}
