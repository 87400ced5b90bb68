// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Stream sockets of the unix family.
public enum UnixSocket {
    /// Two connected sockets, close-on-exec.
    public static func pair(type: SocketType = .stream) throws(Errno) -> SocketPair {
        var ends: (Int32, Int32) = (-1, -1)
        try unsafe withUnsafeMutablePointer(to: &ends) { (pointer) throws(Errno) in
            _ = unsafe try syscall(
                __NR_socketpair, Int(AF_UNIX), type.rawValue | CL_SOCK_CLOEXEC, 0, pointer.argument)
        }
        return SocketPair(first: FileDescriptor(owning: ends.0), second: FileDescriptor(owning: ends.1))
    }

    /// The kinds of socket(2), by their numbers: `SOCK_STREAM`, `SOCK_DGRAM`, `SOCK_SEQPACKET`.
    public enum SocketType: Int, Sendable {
        case stream = 1
        case datagram = 2
        case sequencedPacket = 5
    }

    /// A listening socket at `path`, at most 107 bytes long, which must not exist yet.
    public static func listen(
        at path: String, backlog: Int = 128, nonBlocking: Bool = false
    ) throws(Errno) -> FileDescriptor {
        let socket = try open(nonBlocking: nonBlocking)
        try withAddress(path) { (address, count) throws(Errno) in
            _ = try syscall(__NR_bind, Int(socket.rawValue), address, count)
        }
        try syscall(__NR_listen, Int(socket.rawValue), backlog)
        return socket
    }

    /// A socket connected to the one at `path`, at most 107 bytes long.
    public static func connect(to path: String, nonBlocking: Bool = false) throws(Errno) -> FileDescriptor {
        let socket = try open(nonBlocking: nonBlocking)
        try withAddress(path) { (address, count) throws(Errno) in
            _ = try retrying { () throws(Errno) in
                try syscall(__NR_connect, Int(socket.rawValue), address, count)
            }
        }
        return socket
    }

    /// The next connection on the listening socket `listener`, close-on-exec.
    public static func accept(
        _ listener: BorrowedDescriptor, nonBlocking: Bool = false
    ) throws(Errno) -> FileDescriptor {
        let flags = CL_SOCK_CLOEXEC | (nonBlocking ? CL_SOCK_NONBLOCK : 0)
        return FileDescriptor(
            owning: Int32(
                try retrying { () throws(Errno) in
                    try syscall(__NR_accept4, listener.argument, 0, 0, flags)
                }))
    }

    static func open(nonBlocking: Bool) throws(Errno) -> FileDescriptor {
        let flags = CL_SOCK_CLOEXEC | (nonBlocking ? CL_SOCK_NONBLOCK : 0)
        return FileDescriptor(owning: Int32(try syscall(__NR_socket, Int(AF_UNIX), 1 | flags, 0)))
    }

    static func withAddress(_ path: String, _ body: (Int, Int) throws(Errno) -> Void) throws(Errno) {
        let bytes = Array(path.utf8)
        var address = sockaddr_un()
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .nameTooLong }
        guard !bytes.contains(0) else { throw .invalidArgument }
        address.sun_family = sa_family_t(AF_UNIX)
        // The path fits, and the structure was zeroed, which ends it.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let size = MemoryLayout<sockaddr_un>.size
        try unsafe withUnsafePointer(to: &address) { (pointer) throws(Errno) in
            try body(unsafe pointer.argument, size)
        }
    }

    /// shutdown(2): no more writes, so that the peer reads the end of the stream.
    public static func shutdownWriting(_ socket: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_shutdown, socket.argument, Int(SHUT_WR))
    }

    /// shutdown(2): no more reads.
    public static func shutdownReading(_ socket: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_shutdown, socket.argument, Int(SHUT_RD))
    }
}

/// Two sockets connected to one another.
@frozen
public struct SocketPair: ~Copyable, Sendable {
    /// One of the two.
    public var first: FileDescriptor
    /// The other.
    public var second: FileDescriptor

    /// The first socket. The other is closed here.
    public consuming func takeFirst() -> FileDescriptor { first }
}
