import CLinux
import Glibc

/// Names in directories that are themselves open, so that nothing is resolved twice.
public enum Directory {
    /// mkdirat(2). `EEXIST` is thrown on: whether it is an error is the caller's to say.
    public static func make(_ name: String, at directory: Int32, mode: UInt32 = 0o755) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_mkdirat, Int(directory), name, Int(mode))
        }
    }

    /// unlinkat(2) with AT_REMOVEDIR: the directory `name`, which must be empty.
    public static func remove(_ name: String, at directory: Int32) throws(Errno) {
        try withPath(name) { (name) throws(Errno) in
            _ = try syscall(__NR_unlinkat, Int(directory), name, CL_AT_REMOVEDIR)
        }
    }

    /// readlinkat(2): what the symlink `name` says, at most 4095 bytes.
    public static func link(_ name: String, at directory: Int32) throws(Errno) -> String {
        try withPath(name) { (name) throws(Errno) in
            var bytes = [UInt8](repeating: 0, count: 4095)
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe cl_syscall(Int(__NR_readlinkat), Int(directory), name, buffer.argument, buffer.count, 0, 0)
            }
            if count < 0 { throw Errno(rawValue: Int32(-count)) }
            return String(decoding: bytes[..<count], as: UTF8.self)
        }
    }

    /// The names of the directories in `directory`, by getdents64(2); `.` and `..` are left out.
    public static func subdirectories(of directory: Int32) throws(Errno) -> [String] {
        var names: [String] = []
        var bytes = [UInt8](repeating: 0, count: 32768)
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe cl_syscall(Int(__NR_getdents64), Int(directory), buffer.argument, buffer.count, 0, 0, 0)
            }
            if count < 0 { throw Errno(rawValue: Int32(-count)) }
            if count == 0 { return names }
            var start = 0
            // struct linux_dirent64: inode and offset (8 bytes each), length (2), kind (1), the name and a NUL.
            while start + 19 <= count {
                let length = Int(bytes[start + 16]) | Int(bytes[start + 17]) << 8
                guard length > 19, length <= count - start else { break }
                let name = String(decoding: bytes[(start + 19)..<(start + length)].prefix { $0 != 0 }, as: UTF8.self)
                if bytes[start + 18] == UInt8(DT_DIR), name != ".", name != ".." { names.append(name) }
                start += length
            }
        }
    }

    /// Whether `file`, an open descriptor (O_PATH will do), is a directory.
    public static func isDirectory(_ file: Int32) throws(Errno) -> Bool {
        try status(of: file).st_mode & S_IFMT == S_IFDIR
    }

    /// The device of the file system that `file`, an open descriptor (O_PATH will do), lies on: st_dev of stat(2).
    public static func device(of file: Int32) throws(Errno) -> UInt64 {
        UInt64(try status(of: file).st_dev)
    }

    static func status(of file: Int32) throws(Errno) -> stat {
        var status = stat()
        // fstat writes the structure and touches nothing else.
        guard unsafe fstat(file, &status) == 0 else { throw Errno(rawValue: errno) }
        return status
    }
}
