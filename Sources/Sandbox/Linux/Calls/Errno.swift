// SPDX-License-Identifier: Apache-2.0
import Glibc

/// An error number of the kernel, errno(3).
public struct Errno: Error, RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number, positive.
    public var rawValue: Int32

    /// The error of this number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The C library's text for the number, in lower case as Go's (and so runc's) is.
    public var description: String {
        var text = unsafe String(cString: strerror(rawValue))
        if let first = text.first, text.dropFirst().first?.isLowercase ?? false {
            text = first.lowercased() + text.dropFirst()
        }
        return text
    }
}

extension Errno {
    /// EPERM.
    public static let notPermitted = Errno(rawValue: EPERM)
    /// ENOENT.
    public static let noSuchFile = Errno(rawValue: ENOENT)
    /// ESRCH.
    public static let noSuchProcess = Errno(rawValue: ESRCH)
    /// EINTR.
    public static let interrupted = Errno(rawValue: EINTR)
    /// EIO.
    public static let inputOutput = Errno(rawValue: EIO)
    /// EBADF.
    public static let badFileDescriptor = Errno(rawValue: EBADF)
    /// ECHILD.
    public static let noChild = Errno(rawValue: ECHILD)
    /// EAGAIN.
    public static let wouldBlock = Errno(rawValue: EAGAIN)
    /// ENOMEM.
    public static let outOfMemory = Errno(rawValue: ENOMEM)
    /// EACCES.
    public static let permissionDenied = Errno(rawValue: EACCES)
    /// EBUSY.
    public static let busy = Errno(rawValue: EBUSY)
    /// ENODEV.
    public static let noSuchDevice = Errno(rawValue: ENODEV)
    /// What a file system says of a broken disk.
    public static let structureNeedsCleaning = Errno(rawValue: EUCLEAN)
    /// EEXIST.
    public static let exists = Errno(rawValue: EEXIST)
    /// ENOTDIR.
    public static let notDirectory = Errno(rawValue: ENOTDIR)
    /// EISDIR.
    public static let isDirectory = Errno(rawValue: EISDIR)
    /// EINVAL.
    public static let invalidArgument = Errno(rawValue: EINVAL)
    /// ENOSPC.
    public static let noSpace = Errno(rawValue: ENOSPC)
    /// EROFS.
    public static let readOnlyFileSystem = Errno(rawValue: EROFS)
    /// EPIPE.
    public static let brokenPipe = Errno(rawValue: EPIPE)
    /// ERANGE.
    public static let outOfRange = Errno(rawValue: ERANGE)
    /// ENAMETOOLONG.
    public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    /// ENOSYS.
    public static let noSystemCall = Errno(rawValue: ENOSYS)
    /// ENOTEMPTY.
    public static let notEmpty = Errno(rawValue: ENOTEMPTY)
    /// ELOOP.
    public static let tooManyLinks = Errno(rawValue: ELOOP)
    /// EOPNOTSUPP.
    public static let notSupported = Errno(rawValue: EOPNOTSUPP)
    /// ECONNRESET.
    public static let connectionReset = Errno(rawValue: ECONNRESET)
    /// ECONNREFUSED.
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    /// ETIMEDOUT.
    public static let timedOut = Errno(rawValue: ETIMEDOUT)
    /// EMSGSIZE.
    public static let messageTooLong = Errno(rawValue: EMSGSIZE)
}
