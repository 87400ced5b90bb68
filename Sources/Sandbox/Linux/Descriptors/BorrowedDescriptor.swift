// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// An open file descriptor that another value owns: a number to name in a call, and nothing to close.
///
/// It means the file it was borrowed from for as long as its owner lives, and no longer: after that the kernel may give
/// the number to another file. Swift ends the life of a `FileDescriptor` after its last use, so an owner that must outlive
/// a borrowed number is used, or consumed, after it. A process that was forked, or that was handed descriptors across
/// exec, has no owner for them until it makes one with ``FileDescriptor/init(owning:)``.
@frozen
public struct BorrowedDescriptor: Hashable, Sendable {
    /// The number, for a structure or a message that holds it.
    public let rawValue: Int32

    /// Names the open descriptor `rawValue`, which must have an owner that outlives this value, or stay open for good.
    @inlinable
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Standard input, which stays open.
    public static let standardInput = BorrowedDescriptor(rawValue: 0)
    /// Standard output, which stays open.
    public static let standardOutput = BorrowedDescriptor(rawValue: 1)
    /// Standard error, which stays open.
    public static let standardError = BorrowedDescriptor(rawValue: 2)

    /// AT_FDCWD: the current directory, for calls that take a directory.
    public static let currentDirectory = BorrowedDescriptor(rawValue: -100)

    /// F_SETFD: whether the descriptor closes when this process becomes another program.
    public func setClosesOnExec(_ isOn: Bool) throws(Errno) {
        try syscall(__NR_fcntl, argument, Int(F_SETFD), isOn ? Int(FD_CLOEXEC) : 0)
    }

    /// F_GETFL: the access mode and the status flags of the open file, O_ of open(2).
    public func statusFlags() throws(Errno) -> Int32 {
        Int32(truncatingIfNeeded: try syscall(__NR_fcntl, argument, Int(F_GETFL)))
    }

    /// A descriptor of the caller's own on the same open file: close-on-exec, numbered `minimum` or more.
    public func duplicate(minimum: Int32 = 3) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: Int32(try syscall(__NR_fcntl, argument, Int(F_DUPFD_CLOEXEC), Int(minimum))))
    }
}

extension BorrowedDescriptor {
    /// The number, as an argument of a system call.
    @inlinable public var argument: Int { Int(rawValue) }

    /// The name by which this process reaches the open file, proc(5); takes /proc.
    public var path: String { "/proc/self/fd/\(rawValue)" }
}
