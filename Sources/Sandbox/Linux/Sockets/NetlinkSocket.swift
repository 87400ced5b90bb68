// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// netlink(7): datagrams to and from the kernel.
public enum NetlinkSocket {
    /// A socket that speaks rtnetlink(7), of the network namespace that the caller is in now, and stays so. Close-on-exec. What
    /// the kernel says of a refusal comes with it, and the refused request does not.
    public static func openRoute() throws(Errno) -> FileDescriptor {
        let socket = FileDescriptor(
            owning: Int32(try syscall(__NR_socket, Int(AF_NETLINK), 3 | CL_SOCK_CLOEXEC, 0)))
        // NETLINK_CAP_ACK and NETLINK_EXT_ACK of SOL_NETLINK; the protocol above was NETLINK_ROUTE.
        for option in [10, 11] {
            let on: Int32 = 1
            try unsafe withUnsafePointer(to: on) { (on) throws(Errno) in
                _ = try unsafe syscall(__NR_setsockopt, socket.borrowed.argument, 270, option, on.argument, 4)
            }
        }
        return socket
    }

    /// Sends one datagram to the kernel.
    public static func send(_ datagram: [UInt8], on socket: BorrowedDescriptor) throws(Errno) {
        let count = try retrying { () throws(Errno) in
            try checked(
                unsafe datagram.withUnsafeBytes {
                    unsafe answer(__NR_sendto, socket.argument, $0.argument, $0.count, Int(MSG_NOSIGNAL))
                })
        }
        guard count == datagram.count else { throw .messageTooLong }
    }

    /// One datagram of the kernel's, into the bytes of `buffer` from its start, without waiting. Those of other processes are lost.
    ///
    /// - Returns: its bytes; nil where none is there.
    /// - Throws: `EMSGSIZE` where it does not fit, and is lost; `ENOBUFS` where others were.
    public static func receive(into buffer: inout [UInt8], from socket: BorrowedDescriptor) throws(Errno) -> Int? {
        while true {
            // struct sockaddr_nl: family and padding, the sender's port, its groups.
            var sender: (UInt32, UInt32, UInt32) = (0, .max, 0)
            var senderByteCount: UInt32 = 12
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe withUnsafeMutablePointer(to: &sender) { sender in
                    unsafe withUnsafeMutablePointer(to: &senderByteCount) { senderByteCount in
                        unsafe cl_syscall(
                            Int(__NR_recvfrom), socket.argument, buffer.argument, buffer.count,
                            Int(MSG_DONTWAIT | MSG_TRUNC), sender.argument, senderByteCount.argument)
                    }
                }
            }
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) { return nil }
            try checked(count)
            // The kernel's port is 0.
            guard sender.1 == 0 else { continue }
            guard count <= buffer.count else { throw .messageTooLong }
            return count
        }
    }
}
