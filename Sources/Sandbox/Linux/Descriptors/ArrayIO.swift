// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Reading into and writing from arrays, without a pointer in sight.
extension FileDescriptor {
    /// read(2) over the bytes of `buffer` from its start; 0 at the end of the file.
    public borrowing func read(into buffer: inout [UInt8]) throws(Errno) -> Int {
        let number = Int(rawValue)
        return try retrying { () throws(Errno) in
            try checked(
                unsafe buffer.withUnsafeMutableBytes { unsafe answer(__NR_read, number, $0.argument, $0.count) })
        }
    }

    /// write(2) of `range` of `buffer`: the number of bytes taken.
    public borrowing func write(_ buffer: [UInt8], _ range: Range<Int>) throws(Errno) -> Int {
        let number = Int(rawValue)
        precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count)
        return try retrying { () throws(Errno) in
            try checked(
                unsafe buffer.withUnsafeBytes {
                    unsafe answer(__NR_write, number, $0.argument + range.lowerBound, range.count)
                })
        }
    }
}

extension FileDescriptor {
    /// FIONREAD: how many bytes wait to be read from a pipe, socket or terminal.
    public borrowing func readableByteCount() throws(Errno) -> Int {
        var count: Int32 = 0
        let number = Int(rawValue)
        _ = try checked(
            unsafe withUnsafeMutablePointer(to: &count) {
                unsafe answer(__NR_ioctl, number, Int(FIONREAD), $0.argument)
            })
        return Int(max(count, 0))
    }
}

extension DescriptorPassing {
    /// One message of all of `bytes`, on a socket of packets, with `descriptors`.
    public static func send(
        _ bytes: [UInt8], _ descriptors: [BorrowedDescriptor], on socket: BorrowedDescriptor
    ) throws(Errno) {
        let result = unsafe bytes.withUnsafeBytes { buffer -> Result<Int, Errno> in
            do throws(Errno) {
                return .success(try unsafe send(buffer, descriptors, on: socket))
            } catch {
                return .failure(error)
            }
        }
        guard try result.get() == bytes.count else { throw .messageTooLong }
    }

    /// One message of at most `limit` bytes. At most `maximum` descriptors that come with it are added to `list`.
    public static func receive(
        upTo limit: Int, maximum: Int, descriptors list: inout DescriptorList, from socket: BorrowedDescriptor
    ) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(Errno) in
                try unsafe receive(into: buffer, maximum: maximum, descriptors: &list, from: socket)
            }
        }
        bytes.removeLast(limit - (try result.get()))
        return bytes
    }

    /// One message of at most `limit` bytes that comes without descriptors.
    public static func receive(upTo limit: Int, from socket: BorrowedDescriptor) throws(Errno) -> [UInt8] {
        var none = DescriptorList()
        return try receive(upTo: limit, maximum: 0, descriptors: &none, from: socket)
    }
}

extension FileDescriptor {
    /// lseek(2) to the start.
    public borrowing func rewind() throws(Errno) {
        try syscall(__NR_lseek, Int(rawValue), 0, 0)
    }
}
