import CLinux
import Glibc

/// Names in directories: making, removing, moving and listing them.
public enum Directory {
    /// mkdirat(2).
    public static func make(
        _ path: String, at directory: Int32 = FileDescriptor.currentDirectory, mode: UInt32
    ) throws(Errno) {
        try withPath(path) { (name) throws(Errno) in _ = try syscall(__NR_mkdirat, Int(directory), name, Int(mode)) }
    }

    /// unlinkat(2): removes a name, which `isDirectory` says to be an (empty) directory or not.
    public static func remove(
        _ path: String, at directory: Int32 = FileDescriptor.currentDirectory, isDirectory: Bool = false
    ) throws(Errno) {
        try withPath(path) { (name) throws(Errno) in
            _ = try syscall(__NR_unlinkat, Int(directory), name, isDirectory ? CL_AT_REMOVEDIR : 0)
        }
    }

    /// renameat(2), within one directory; what had the new name is gone.
    public static func rename(_ old: String, to new: String, at directory: Int32) throws(Errno) {
        try withPath(old) { (old) throws(Errno) in
            try withPath(new) { (new) throws(Errno) in
                _ = try syscall(__NR_renameat2, Int(directory), old, Int(directory), new, 0)
            }
        }
    }

    /// A name in a directory.
    public struct Entry: Hashable, Sendable {
        public var name: String
        /// False as well where the file system does not say.
        public var isDirectory: Bool
    }

    /// getdents64(2): what the open directory holds, without `.` and `..`, in no order. Names that are not
    /// UTF-8 are repaired and so name nothing.
    public static func entries(of directory: Int32) throws(Errno) -> [Entry] {
        var entries: [Entry] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32768, alignment: 8)
        defer { unsafe buffer.deallocate() }
        while true {
            let count = unsafe try syscall(__NR_getdents64, Int(directory), buffer.argument, buffer.count)
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
}

extension FileDescriptor {
    /// flock(2), exclusive.
    ///
    /// - Returns: false where somebody else holds the lock. It is let go when the last descriptor on
    ///   this open file is closed.
    public borrowing func tryLock() throws(Errno) -> Bool {
        do {
            try syscall(__NR_flock, Int(rawValue), Int(LOCK_EX | LOCK_NB))
            return true
        } catch where error == .wouldBlock || error == .interrupted {
            return false
        }
    }
}
