// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

extension UnixSocket {
    /// Where the listening `socket` can be reached, getsockname(2).
    ///
    /// - Throws: `ENOTSOCK`, or `EINVAL` where it is no listening socket of the unix family with a path.
    public static func listeningPath(of socket: BorrowedDescriptor) throws(Errno) -> String {
        var isListening: Int32 = 0
        var size: UInt32 = 4
        try unsafe withUnsafeMutablePointer(to: &isListening) { (value) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &size) { (size) throws(Errno) in
                // SO_ACCEPTCONN is 30 on every architecture served here.
                _ = unsafe try syscall(
                    __NR_getsockopt, socket.argument, Int(SOL_SOCKET), 30, value.argument, size.argument)
            }
        }
        guard isListening != 0 else { throw .invalidArgument }
        var address = sockaddr_un()
        size = UInt32(MemoryLayout<sockaddr_un>.size)
        try unsafe withUnsafeMutablePointer(to: &address) { (address) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &size) { (size) throws(Errno) in
                _ = unsafe try syscall(__NR_getsockname, socket.argument, address.argument, size.argument)
            }
        }
        guard address.sun_family == AF_UNIX else { throw .invalidArgument }
        // The structure was zeroed, so the path ends in it.
        let path = unsafe withUnsafeBytes(of: &address.sun_path) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard !path.isEmpty else { throw .invalidArgument }
        return path
    }
}
