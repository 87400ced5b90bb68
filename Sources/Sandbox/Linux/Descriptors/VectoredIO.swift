// SPDX-License-Identifier: Apache-2.0
public import CLinux
import Glibc

/// Bytes moved between a stream socket and several places in memory by one call, never waiting and never
/// raising SIGPIPE.
public enum VectoredIO {
    /// sendmsg(2): hands on what `vectors` hold, which must be valid for the call.
    ///
    /// - Returns: how many bytes were taken.
    public static func send(
        _ vectors: UnsafeMutableBufferPointer<cl_iovec>, on socket: BorrowedDescriptor
    ) throws(Errno) -> Int {
        try unsafe transfer(__NR_sendmsg, vectors, on: socket, flags: Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT))
    }

    /// recvmsg(2): fills `vectors`, which must be valid for the call, from the front. Descriptors the peer
    /// attached are dropped by the kernel.
    ///
    /// - Returns: how many bytes came; 0 at the end of the stream.
    public static func receive(
        into vectors: UnsafeMutableBufferPointer<cl_iovec>, on socket: BorrowedDescriptor
    ) throws(Errno) -> Int {
        try unsafe transfer(__NR_recvmsg, vectors, on: socket, flags: Int(MSG_DONTWAIT))
    }

    private static func transfer(
        _ number: Int32, _ vectors: UnsafeMutableBufferPointer<cl_iovec>, on socket: BorrowedDescriptor,
        flags: Int
    ) throws(Errno) -> Int {
        var message = unsafe cl_msghdr()
        unsafe message.vectors = vectors.baseAddress
        unsafe message.vector_count = vectors.count
        return try retrying { () throws(Errno) in
            // The message and what it points to outlive the call.
            try unsafe withUnsafeMutablePointer(to: &message) { (pointer) throws(Errno) in
                try unsafe syscall(number, socket.argument, pointer.argument, flags)
            }
        }
    }
}
