// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// An open file descriptor, owned: closed when its owner lets it go.
public struct FileDescriptor: ~Copyable, Sendable {
    /// This descriptor, for a call that does not keep it. It stays owned here, and must outlive the result.
    // Stored: on a path that never returns, Swift closes the descriptor at the last use of a property that is computed.
    public let borrowed: BorrowedDescriptor

    /// The number, for structures and messages that hold it.
    @inlinable public var rawValue: Int32 { borrowed.rawValue }

    /// Takes ownership of `rawValue`, which must be open and have no other owner.
    public init(owning rawValue: Int32) {
        borrowed = BorrowedDescriptor(rawValue: rawValue)
    }

    /// Takes ownership of what was released, here or in the process that this one is a copy of.
    public init(owning released: BorrowedDescriptor) {
        borrowed = released
    }

    deinit {
        _ = cl_syscall(Int(__NR_close), Int(rawValue), 0, 0, 0, 0, 0)
    }

    /// Gives the descriptor away: it stays open until it has another owner.
    public consuming func release() -> BorrowedDescriptor {
        let released = borrowed
        discard self
        return released
    }

    /// A second descriptor on the same open file, close-on-exec, numbered `minimum` or more.
    public borrowing func duplicate(minimum: Int32 = 3) throws(Errno) -> FileDescriptor {
        FileDescriptor(
            owning: Int32(try syscall(__NR_fcntl, Int(rawValue), Int(F_DUPFD_CLOEXEC), Int(minimum))))
    }

    /// Whether reads and writes answer `EAGAIN` rather than wait. A property of the open file,
    /// shared by every descriptor on it.
    public borrowing func setNonBlocking(_ isOn: Bool) throws(Errno) {
        let flags = try syscall(__NR_fcntl, Int(rawValue), Int(F_GETFL))
        let wanted = isOn ? flags | Int(O_NONBLOCK) : flags & ~Int(O_NONBLOCK)
        if wanted != flags { try syscall(__NR_fcntl, Int(rawValue), Int(F_SETFL), wanted) }
    }
}

extension FileDescriptor {
    /// read(2): at most `buffer.count` bytes; 0 at the end of the file.
    public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try unsafe syscall(__NR_read, Int(rawValue), buffer.argument, buffer.count)
    }

    /// write(2): the number of bytes taken, which may be fewer than given.
    public borrowing func write(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        try unsafe syscall(__NR_write, Int(rawValue), buffer.argument, buffer.count)
    }

    /// ``BorrowedDescriptor/writeAll(_:)``.
    public borrowing func writeAll(_ bytes: [UInt8]) throws(Errno) {
        try borrowed.writeAll(bytes)
    }

    /// ``BorrowedDescriptor/read(upTo:)``.
    public borrowing func read(upTo byteCount: Int) throws(Errno) -> [UInt8] {
        try borrowed.read(upTo: byteCount)
    }

    /// Reads to the end of the file, and throws `EFBIG` beyond `limit` bytes.
    public borrowing func readAll(limit: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try read(upTo: min(65536, limit - bytes.count + 1))
            if chunk.isEmpty { return bytes }
            bytes += chunk
            if bytes.count > limit { throw Errno(rawValue: EFBIG) }
        }
    }
}

extension BorrowedDescriptor {
    /// Writes all of `bytes`, on a descriptor that blocks.
    public func writeAll(_ bytes: [UInt8]) throws(Errno) {
        var start = 0
        while start < bytes.count {
            start += try retrying { () throws(Errno) in
                // The array outlives the call; the kernel reads within its bounds.
                let result = unsafe bytes.withUnsafeBytes { buffer in
                    cl_syscall(
                        Int(__NR_write), argument, Int(bitPattern: buffer.baseAddress) + start,
                        buffer.count - start, 0, 0, 0)
                }
                if result < 0 { throw Errno(rawValue: Int32(-result)) }
                return result
            }
        }
    }

    /// Up to `byteCount` bytes of one read(2); empty at the end of the file.
    public func read(upTo byteCount: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let count = try retrying { () throws(Errno) in
            let result = unsafe bytes.withUnsafeMutableBytes { buffer in
                cl_syscall(
                    Int(__NR_read), argument, Int(bitPattern: buffer.baseAddress), buffer.count, 0, 0, 0)
            }
            if result < 0 { throw Errno(rawValue: Int32(-result)) }
            return result
        }
        bytes.removeLast(byteCount - count)
        return bytes
    }
}
