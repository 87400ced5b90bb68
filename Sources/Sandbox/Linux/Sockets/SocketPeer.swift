// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Who is at the other end of a unix socket, and what kind of socket stands at a path.
extension UnixSocket {
    /// The user and group that a process had when it connected, SO_PEERCRED of unix(7).
    public struct Peer: Hashable, Sendable {
        /// The effective user.
        public var uid: UInt32
        /// The effective group.
        public var gid: UInt32

        /// A peer with these ids.
        public init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }
    }

    /// The process at the other end of the connected `socket`.
    public static func peer(of socket: BorrowedDescriptor) throws(Errno) -> Peer {
        // struct ucred: pid, uid, gid.
        let credentials = try Socket.option(SO_PEERCRED, of: socket, count: 3)
        return Peer(uid: UInt32(bitPattern: credentials[1]), gid: UInt32(bitPattern: credentials[2]))
    }

    /// What a program that is to be reached at `path` takes.
    public enum Service: Hashable, Sendable {
        case stream, datagram, sequencedPacket
        /// No program has the socket open.
        case none
    }

    /// The kind of the socket at `path`, at most 107 bytes long. A server with stream sockets notices nothing.
    public static func service(at path: String) throws(Errno) -> Service {
        // Connecting a socket of datagrams sends nothing, and the kernel says where the kind is another.
        do {
            try connect(.datagram, to: path)
            return .datagram
        } catch .connectionRefused {
            return .none
        } catch .notPermitted {
            return .datagram  // One that hears its own peer only.
        } catch {
            if error != Errno(rawValue: EPROTOTYPE) { throw error }
        }
        do {
            try connect(.sequencedPacket, to: path)
            return .sequencedPacket
        } catch .connectionRefused, .wouldBlock {
            return .sequencedPacket  // It does not listen, or has enough to do.
        } catch  where error == Errno(rawValue: EPROTOTYPE) {
            return .stream
        }
    }

    private static func connect(_ type: SocketType, to path: String) throws(Errno) {
        let flags = CL_SOCK_CLOEXEC | CL_SOCK_NONBLOCK
        let socket = FileDescriptor(
            owning: Int32(try syscall(__NR_socket, Int(AF_UNIX), type.rawValue | flags, 0)))
        try withAddress(path) { (address, count) throws(Errno) in
            _ = try syscall(__NR_connect, Int(socket.rawValue), address, count)
        }
    }
}

extension Socket {
    /// What one recvmsg(2) brought.
    public enum Received: Hashable, Sendable {
        /// So many bytes, none at the end of the stream.
        case bytes(Int)
        case nothingYet
        /// Descriptors came with the bytes; the kernel has closed them.
        case descriptors
    }

    /// recvmsg(2) over the bytes of `buffer` from its start, without waiting.
    public static func receive(
        into buffer: inout [UInt8], from socket: BorrowedDescriptor
    ) throws(Errno) -> Received {
        var flags: Int32 = 0
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            // The vector and the message live for the call; the kernel fills at most the buffer.
            var vector = unsafe cl_iovec(base: bytes.baseAddress, count: bytes.count)
            return unsafe withUnsafeMutablePointer(to: &vector) { vector in
                var message = unsafe cl_msghdr()
                unsafe message.vectors = vector
                unsafe message.vector_count = 1
                let received = unsafe withUnsafeMutablePointer(to: &message) { message in
                    while true {
                        let received = unsafe answer(
                            __NR_recvmsg, socket.argument, message.argument, Int(MSG_DONTWAIT | MSG_CMSG_CLOEXEC))
                        if received != -Int(EINTR) { return received }
                    }
                }
                flags = unsafe message.flags
                return received
            }
        }
        if result == -Int(EAGAIN) { return .nothingYet }
        let count = try checked(result)
        return flags & Int32(MSG_CTRUNC) != 0 ? .descriptors : .bytes(count)
    }

    /// SO_ERROR: why a connection that was being made was not; nil where it was.
    public static func error(of socket: BorrowedDescriptor) throws(Errno) -> Errno? {
        let error = try option(SO_ERROR, of: socket, count: 1)[0]
        return error == 0 ? nil : Errno(rawValue: error)
    }

    /// getsockopt(2) at SOL_SOCKET of an option of `count` words of 32 bits.
    static func option(_ name: Int32, of socket: BorrowedDescriptor, count: Int) throws(Errno) -> [Int32] {
        var words = [Int32](repeating: 0, count: count)
        var byteCount = UInt32(4 * count)
        try checked(
            unsafe words.withUnsafeMutableBytes { words in
                unsafe withUnsafeMutablePointer(to: &byteCount) { byteCount in
                    unsafe answer(
                        __NR_getsockopt, socket.argument, Int(SOL_SOCKET), Int(name), words.argument, byteCount.argument
                    )
                }
            })
        guard byteCount == UInt32(4 * count) else { throw .invalidArgument }
        return words
    }
}

extension Process {
    /// Runs `body` with the effective user and group `uid` and `gid`, which a socket's peer sees as those of the client,
    /// while files are opened as before. Only for root, and a process with one thread.
    public static func acting(uid: UInt32, gid: UInt32, _ body: () throws(Errno) -> Void) throws(Errno) {
        let unchanged = Int(UInt32.max)
        defer {
            // Root by its real and saved ids, so that it cannot be refused.
            _ = try? syscall(__NR_setresuid, unchanged, 0, unchanged)
            _ = try? syscall(__NR_setresgid, unchanged, 0, unchanged)
        }
        try syscall(__NR_setresgid, unchanged, Int(gid), unchanged)
        try syscall(__NR_setresuid, unchanged, Int(uid), unchanged)
        // Answers the old one, whether or not it was changed.
        try syscall(__NR_setfsuid, 0)
        try body()
    }
}
