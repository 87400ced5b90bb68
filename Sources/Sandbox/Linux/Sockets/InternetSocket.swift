// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Sockets of version 4 of the internet protocol, ip(7). Close-on-exec, and none of them blocks.
public enum InternetSocket {
    /// An address and a port, udp(7).
    public struct Address: Hashable, Sendable {
        /// The first byte is the highest: 127.0.0.1 is 0x7f00_0001.
        public var host: UInt32
        /// 0: one that is free.
        public var port: UInt16

        /// The port `port` of `host`.
        public init(host: UInt32, port: UInt16) {
            self.host = host
            self.port = port
        }
    }

    /// A socket for datagrams to `address`.
    public static func datagrams(at address: Address) throws(Errno) -> FileDescriptor {
        try bound(.datagram, to: address)
    }

    /// A socket that listens for connections to `address`.
    public static func listen(at address: Address, backlog: Int = 128) throws(Errno) -> FileDescriptor {
        let socket = try bound(.stream, to: address)
        try syscall(__NR_listen, socket.borrowed.argument, backlog)
        return socket
    }

    /// A stream socket that is being connected to `address`: writable once it is, or cannot be, which ``Socket/error(of:)``
    /// says.
    public static func beginConnecting(to address: Address) throws(Errno) -> FileDescriptor {
        let socket = try open(UnixSocket.SocketType.stream.rawValue)
        do {
            try withBytes(of: address) { (address, count) throws(Errno) in
                _ = try syscall(__NR_connect, socket.borrowed.argument, address, count)
            }
        } catch  where error == Errno(rawValue: EINPROGRESS) {}
        return socket
    }

    /// What `socket` is bound to.
    public static func address(of socket: BorrowedDescriptor) throws(Errno) -> Address {
        var address = sockaddr_in()
        var count = UInt32(MemoryLayout<sockaddr_in>.size)
        try unsafe withUnsafeMutablePointer(to: &address) { (address) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &count) { (count) throws(Errno) in
                _ = try unsafe syscall(__NR_getsockname, socket.argument, address.argument, count.argument)
            }
        }
        return Address(address)
    }

    /// The next datagram, without waiting.
    ///
    /// - Returns: at most `limit` bytes of it, and who sent it; nil where none is there.
    public static func receive(
        upTo limit: Int, from socket: BorrowedDescriptor
    ) throws(Errno) -> (bytes: [UInt8], sender: Address)? {
        var bytes = [UInt8](repeating: 0, count: limit)
        var sender = sockaddr_in()
        var senderByteCount = UInt32(MemoryLayout<sockaddr_in>.size)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe withUnsafeMutablePointer(to: &sender) { sender in
                unsafe withUnsafeMutablePointer(to: &senderByteCount) { senderByteCount in
                    while true {
                        let count = unsafe cl_syscall(
                            Int(__NR_recvfrom), socket.argument, buffer.argument, buffer.count, Int(MSG_DONTWAIT),
                            sender.argument, senderByteCount.argument)
                        if count != -Int(EINTR) { return count }
                    }
                }
            }
        }
        if count == -Int(EAGAIN) { return nil }
        try checked(count)
        bytes.removeLast(limit - count)
        return (bytes, Address(sender))
    }

    /// Sends a datagram, or what a raw socket sends.
    public static func send(
        _ bytes: [UInt8], to address: Address, on socket: BorrowedDescriptor
    ) throws(Errno) {
        try withBytes(of: address) { (address, count) throws(Errno) in
            let answer = unsafe bytes.withUnsafeBytes { bytes in
                while true {
                    let answer = unsafe cl_syscall(
                        Int(__NR_sendto), socket.argument, bytes.argument, bytes.count,
                        Int(MSG_NOSIGNAL | MSG_DONTWAIT),
                        address, count)
                    if answer != -Int(EINTR) { return answer }
                }
            }
            try checked(answer)
        }
    }

    private static func bound(_ type: UnixSocket.SocketType, to address: Address) throws(Errno) -> FileDescriptor {
        let socket = try open(type.rawValue)
        try withBytes(of: address) { (address, count) throws(Errno) in
            _ = try syscall(__NR_bind, socket.borrowed.argument, address, count)
        }
        return socket
    }

    fileprivate static func open(_ type: Int, protocolNumber: Int = 0) throws(Errno) -> FileDescriptor {
        let flags = CL_SOCK_CLOEXEC | CL_SOCK_NONBLOCK
        return FileDescriptor(
            owning: Int32(try syscall(__NR_socket, Int(AF_INET), type | flags, protocolNumber)))
    }

    private static func withBytes(
        of address: Address, _ body: (Int, Int) throws(Errno) -> Void
    ) throws(Errno) {
        var bytes = sockaddr_in()
        bytes.sin_family = sa_family_t(AF_INET)
        bytes.sin_port = address.port.bigEndian
        bytes.sin_addr.s_addr = address.host.bigEndian
        try unsafe withUnsafePointer(to: &bytes) { (pointer) throws(Errno) in
            try body(unsafe pointer.argument, MemoryLayout<sockaddr_in>.size)
        }
    }
}

extension InternetSocket.Address {
    fileprivate init(_ address: sockaddr_in) {
        self.init(host: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
    }
}

/// Datagrams whose sender is a port that no socket here is bound to, raw(7). Needs CAP_NET_RAW.
public struct DatagramSource: ~Copyable {
    private let socket: FileDescriptor
    private let address: InternetSocket.Address

    /// They come from `address`, a host of this machine's.
    public init(_ address: InternetSocket.Address) throws(Errno) {
        // SOCK_RAW and IPPROTO_RAW: the header is ours.
        socket = try InternetSocket.open(3, protocolNumber: 255)
        self.address = address
    }

    /// Sends `payload` to `receiver`, at most what fits the interface's MTU.
    public borrowing func send(_ payload: [UInt8], to receiver: InternetSocket.Address) throws(Errno) {
        guard payload.count <= Self.limit else { throw .messageTooLong }
        // RFC 791: version and length, not to be cut, 64 hops, UDP. The kernel fills in the length and the checksum.
        var bytes: [UInt8] = [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0]
        bytes += Self.bytes(address.host) + Self.bytes(receiver.host)
        // RFC 768: the ports, the length, and no checksum, which never leaves this machine.
        for word in [address.port, receiver.port, UInt16(payload.count + 8), 0] { bytes += Self.bytes(word) }
        try InternetSocket.send(
            bytes + payload, to: InternetSocket.Address(host: receiver.host, port: 0), on: socket.borrowed)
    }

    private static let limit = 65507

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
    }
}
