// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// How a file is opened, open(2). `O_CLOEXEC` is always added.
public struct OpenOptions: OptionSet, Sendable {
    /// O_ bits.
    public let rawValue: Int32
    /// The options with these bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// O_WRONLY.
    public static let writeOnly = OpenOptions(rawValue: O_WRONLY)
    /// O_RDWR.
    public static let readWrite = OpenOptions(rawValue: O_RDWR)
    /// O_CREAT.
    public static let create = OpenOptions(rawValue: O_CREAT)
    /// O_EXCL.
    public static let exclusive = OpenOptions(rawValue: O_EXCL)
    /// O_TRUNC.
    public static let truncate = OpenOptions(rawValue: O_TRUNC)
    /// O_APPEND.
    public static let append = OpenOptions(rawValue: O_APPEND)
    /// O_DIRECTORY.
    public static let directory = OpenOptions(rawValue: O_DIRECTORY)
    /// O_NOFOLLOW.
    public static let noFollow = OpenOptions(rawValue: O_NOFOLLOW)
    /// O_NONBLOCK.
    public static let nonBlocking = OpenOptions(rawValue: O_NONBLOCK)
    /// O_NOCTTY.
    public static let noControllingTerminal = OpenOptions(rawValue: O_NOCTTY)
    /// O_PATH.
    public static let path = OpenOptions(rawValue: Int32(CL_O_PATH))
}

/// How a path is resolved, openat2(2).
public struct ResolveOptions: OptionSet, Sendable {
    /// RESOLVE_ bits.
    public let rawValue: UInt64
    /// The options with these bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// `..` and absolute symlinks stay below the starting directory, as in a chroot.
    public static let inRoot = ResolveOptions(rawValue: UInt64(RESOLVE_IN_ROOT))
    /// Leaving the starting directory is an error.
    public static let beneath = ResolveOptions(rawValue: UInt64(RESOLVE_BENEATH))
    /// RESOLVE_NO_SYMLINKS: a symlink anywhere in the path is an error.
    public static let noSymlinks = ResolveOptions(rawValue: UInt64(RESOLVE_NO_SYMLINKS))
    /// RESOLVE_NO_MAGICLINKS: a link of /proc that leads to an open file is an error.
    public static let noMagicLinks = ResolveOptions(rawValue: UInt64(RESOLVE_NO_MAGICLINKS))
    /// RESOLVE_NO_XDEV: entering another mount is an error.
    public static let noCrossMount = ResolveOptions(rawValue: UInt64(RESOLVE_NO_XDEV))
}

extension FileDescriptor {
    /// open(2).
    public static func open(
        _ path: String, _ options: OpenOptions = [], mode: UInt32 = 0
    ) throws(Errno) -> FileDescriptor {
        try open(path, at: BorrowedDescriptor.currentDirectory, options, mode: mode)
    }

    /// openat(2), below the directory `directory`.
    public static func open(
        _ path: String, at directory: BorrowedDescriptor, _ options: OpenOptions = [], mode: UInt32 = 0
    ) throws(Errno) -> FileDescriptor {
        try withPath(path) { (name) throws(Errno) in
            FileDescriptor(
                owning: Int32(
                    try retrying { () throws(Errno) in
                        try syscall(
                            __NR_openat, directory.argument, name, Int(options.rawValue | O_CLOEXEC), Int(mode))
                    }))
        }
    }

    /// How often a path is looked up anew that the kernel was disturbed at.
    private static let lookupLimit = 128

    /// openat2(2): as `open`, with the resolution held to `resolve`. A `..` that is held below a directory is given up
    /// by the kernel where anything was renamed or mounted meanwhile, anywhere (`EAGAIN`): it is tried again.
    public static func open(
        _ path: String, at directory: BorrowedDescriptor, _ options: OpenOptions = [], mode: UInt32 = 0,
        resolve: ResolveOptions
    ) throws(Errno) -> FileDescriptor {
        var how = open_how()
        how.flags = UInt64(UInt32(bitPattern: options.rawValue | O_CLOEXEC))
        how.mode = UInt64(mode)
        how.resolve = resolve.rawValue
        let size = MemoryLayout<open_how>.size
        var triesLeft = resolve.isDisjoint(with: [.inRoot, .beneath]) ? 1 : lookupLimit
        return try withPath(path) { (name) throws(Errno) in
            while true {
                do throws(Errno) {
                    let number = try syscall(
                        __NR_openat2, directory.argument, name,
                        unsafe withUnsafePointer(to: &how) { unsafe $0.argument }, size)
                    return FileDescriptor(owning: Int32(number))
                } catch {
                    if error == .interrupted { continue }
                    triesLeft -= 1
                    guard error == .wouldBlock, triesLeft > 0 else { throw error }
                }
            }
        }
    }

    /// A pipe, pipe2(2), both ends close-on-exec.
    public static func pipe() throws(Errno) -> Pipe {
        var ends: (Int32, Int32) = (-1, -1)
        try unsafe withUnsafeMutablePointer(to: &ends) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_pipe2, pointer.argument, Int(O_CLOEXEC))
        }
        return Pipe(reader: FileDescriptor(owning: ends.0), writer: FileDescriptor(owning: ends.1))
    }

    /// An anonymous file in memory, memfd_create(2); `allowsSealing` as MFD_ALLOW_SEALING.
    public static func memory(named name: String, allowsSealing: Bool = false) throws(Errno) -> FileDescriptor {
        let flags = MFD_CLOEXEC | (allowsSealing ? MFD_ALLOW_SEALING : 0)
        return try withPath(name) { (name) throws(Errno) in
            FileDescriptor(owning: Int32(try syscall(__NR_memfd_create, name, Int(flags))))
        }
    }
}

/// The two ends of a pipe(2).
@frozen
public struct Pipe: ~Copyable, Sendable {
    /// What is read from.
    public var reader: FileDescriptor
    /// What is written to.
    public var writer: FileDescriptor

    /// The end to read from. The other is closed here, so that the stream ends with its last writer elsewhere.
    public consuming func takeReader() -> FileDescriptor { reader }

    /// The end to write to. The other is closed here, so that a write fails when its last reader elsewhere has gone.
    public consuming func takeWriter() -> FileDescriptor { writer }
}

extension FileDescriptor {
    /// Reads a file from its first byte to its end, and throws `EFBIG` beyond `limit` bytes.
    public borrowing func readFromStart(limit: Int) throws(Errno) -> [UInt8] {
        try syscall(__NR_lseek, Int(rawValue), 0, Int(SEEK_SET))
        return try readAll(limit: limit)
    }
}
