import CLinux

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

extension DescriptorPassing {
    /// One message of all of `bytes`, on a socket of packets, with `descriptors`.
    public static func send(_ bytes: [UInt8], _ descriptors: [Int32], on socket: Int32) throws(Errno) {
        let result = unsafe bytes.withUnsafeBytes { buffer -> Result<Int, Errno> in
            do throws(Errno) {
                return .success(try unsafe send(buffer, descriptors, on: socket))
            } catch {
                return .failure(error)
            }
        }
        guard try result.get() == bytes.count else { throw .messageTooLong }
    }

    /// One message of at most `limit` bytes and `maximum` descriptors, now the caller's.
    public static func receive(
        upTo limit: Int, maximum: Int, from socket: Int32
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [Int32]) {
        var bytes = [UInt8](repeating: 0, count: limit)
        let result = unsafe bytes.withUnsafeMutableBytes { buffer -> Result<(Int, [Int32]), Errno> in
            do throws(Errno) {
                let message = try unsafe receive(into: buffer, maximum: maximum, from: socket)
                return .success((message.byteCount, message.descriptors))
            } catch {
                return .failure(error)
            }
        }
        let (count, descriptors) = try result.get()
        bytes.removeLast(limit - count)
        return (bytes, descriptors)
    }
}

extension FileDescriptor {
    /// lseek(2) to the start.
    public borrowing func rewind() throws(Errno) {
        try syscall(__NR_lseek, Int(rawValue), 0, 0)
    }
}
