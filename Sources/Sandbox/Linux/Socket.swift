import CLinux
import Glibc

/// Sending and receiving on stream sockets of any family.
public enum Socket {
    /// send(2) with MSG_NOSIGNAL: a peer that has gone is `EPIPE`, not a signal. `waits: false` answers
    /// `EAGAIN` where nothing can be taken, whatever mode the socket is in.
    ///
    /// - Returns: how many bytes were taken.
    public static func send(_ bytes: UnsafeRawBufferPointer, on socket: Int32, waits: Bool = true) throws(Errno) -> Int
    {
        let flags = Int(MSG_NOSIGNAL) | (waits ? 0 : Int(MSG_DONTWAIT))
        return try retrying { () throws(Errno) in
            try unsafe syscall(__NR_sendto, Int(socket), bytes.argument, bytes.count, flags)
        }
    }

    /// recv(2) without waiting, whatever mode the socket is in.
    ///
    /// - Returns: at most `limit` bytes; none at the end of the stream; nil where nothing is there yet.
    public static func receive(upTo limit: Int, from socket: Int32) throws(Errno) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in
            while true {
                let count = unsafe cl_syscall(
                    Int(__NR_recvfrom), Int(socket), buffer.argument, buffer.count, Int(MSG_DONTWAIT), 0, 0)
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
    /// One send(2) of `bytes` from `start` on, without waiting; 0 where the socket takes nothing now.
    public static func send(_ bytes: [UInt8], from start: Int, on socket: Int32) throws(Errno) -> Int {
        precondition(start >= 0 && start <= bytes.count)
        let flags = Int(MSG_NOSIGNAL | MSG_DONTWAIT)
        while true {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe answer(__NR_sendto, Int(socket), $0.argument + start, $0.count - start, flags)
            }
            if count == -Int(EAGAIN) { return 0 }
            if count != -Int(EINTR) { return try checked(count) }
        }
    }
}
