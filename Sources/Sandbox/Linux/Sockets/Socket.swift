// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Sending and receiving on stream sockets of any family.
public enum Socket {
    /// send(2) with MSG_NOSIGNAL: a peer that has gone is `EPIPE`, not a signal. `waits: false` answers
    /// `EAGAIN` where nothing can be taken, whatever mode the socket is in.
    ///
    /// - Returns: how many bytes were taken.
    public static func send(
        _ bytes: UnsafeRawBufferPointer, on socket: BorrowedDescriptor, waits: Bool = true
    ) throws(Errno) -> Int {
        let flags = Int(MSG_NOSIGNAL) | (waits ? 0 : Int(MSG_DONTWAIT))
        return try retrying { () throws(Errno) in
            try unsafe syscall(__NR_sendto, socket.argument, bytes.argument, bytes.count, flags)
        }
    }

    /// recv(2) without waiting, whatever mode the socket is in.
    ///
    /// - Returns: at most `limit` bytes; none at the end of the stream; nil where nothing is there yet.
    public static func receive(upTo limit: Int, from socket: BorrowedDescriptor) throws(Errno) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            while true {
                let count = unsafe cl_syscall(
                    Int(__NR_recvfrom), socket.argument, buffer.argument, buffer.count, Int(MSG_DONTWAIT), 0, 0)
                if count != -Int(EINTR) { return count }
            }
        }
        if count == -Int(EAGAIN) { return nil }
        if count < 0 { throw Errno(rawValue: Int32(-count)) }
        bytes.removeLast(limit - count)
        return bytes
    }
}

extension Socket {
    /// One send(2) of `bytes` from `start` on, up to `end` or all, without waiting; 0 where the socket takes nothing now.
    public static func send(
        _ bytes: [UInt8], from start: Int, upTo end: Int? = nil, on socket: BorrowedDescriptor
    ) throws(Errno) -> Int {
        let end = end ?? bytes.count
        precondition(start >= 0 && start <= end && end <= bytes.count)
        let flags = Int(MSG_NOSIGNAL | MSG_DONTWAIT)
        while true {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe answer(__NR_sendto, socket.argument, $0.argument + start, end - start, flags)
            }
            if count == -Int(EAGAIN) { return 0 }
            if count != -Int(EINTR) { return try checked(count) }
        }
    }
}
