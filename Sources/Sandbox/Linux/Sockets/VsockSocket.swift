// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Sockets of the vsock family, vsock(7), as a guest uses them. Close-on-exec.
public enum VsockSocket {
    /// The address of the host.
    public static let hostCID = UInt32(VMADDR_CID_HOST)

    /// A listening socket on `port`, for any address of this machine. Not blocking.
    public static func listen(port: UInt32, backlog: Int = 128) throws(Errno) -> FileDescriptor {
        let socket = try open(CL_SOCK_NONBLOCK)
        try withAddress(cid: .max, port: port) { (address, count) throws(Errno) in
            _ = try syscall(__NR_bind, Int(socket.rawValue), address, count)
        }
        try syscall(__NR_listen, Int(socket.rawValue), backlog)
        return socket
    }

    /// A socket connected to `port` of the machine `cid`, blocking.
    public static func connect(cid: UInt32, port: UInt32) throws(Errno) -> FileDescriptor {
        let socket = try open(0)
        try withAddress(cid: cid, port: port) { (address, count) throws(Errno) in
            _ = try retrying { () throws(Errno) in try syscall(__NR_connect, Int(socket.rawValue), address, count) }
        }
        return socket
    }

    /// A socket that does not block and is being connected to `port` of the machine `cid`: writable once it is, or cannot be,
    /// which ``Socket/error(of:)`` says.
    public static func beginConnecting(cid: UInt32, port: UInt32) throws(Errno) -> FileDescriptor {
        let socket = try open(CL_SOCK_NONBLOCK)
        do {
            try withAddress(cid: cid, port: port) { (address, count) throws(Errno) in
                _ = try syscall(__NR_connect, Int(socket.rawValue), address, count)
            }
        } catch  where error == Errno(rawValue: EINPROGRESS) {}
        return socket
    }

    /// The address of the machine `socket` is connected to; nil where it is no vsock socket.
    public static func peerCID(of socket: BorrowedDescriptor) throws(Errno) -> UInt32? {
        var address = sockaddr_vm()
        var count = UInt32(MemoryLayout<sockaddr_vm>.size)
        try unsafe withUnsafeMutablePointer(to: &address) { (address) throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &count) { (count) throws(Errno) in
                _ = try unsafe syscall(__NR_getpeername, socket.argument, address.argument, count.argument)
            }
        }
        return address.svm_family == sa_family_t(AF_VSOCK) ? address.svm_cid : nil
    }

    private static let AF_VSOCK: Int = 40

    private static func open(_ flags: Int) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: Int32(try syscall(__NR_socket, AF_VSOCK, 1 | CL_SOCK_CLOEXEC | flags, 0)))
    }

    private static func withAddress(
        cid: UInt32, port: UInt32, _ body: (Int, Int) throws(Errno) -> Void
    ) throws(Errno) {
        var address = sockaddr_vm()
        address.svm_family = sa_family_t(AF_VSOCK)
        address.svm_cid = cid
        address.svm_port = port
        try unsafe withUnsafePointer(to: &address) { (pointer) throws(Errno) in
            try body(unsafe pointer.argument, MemoryLayout<sockaddr_vm>.size)
        }
    }
}
