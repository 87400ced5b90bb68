// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Bytes on their way from one descriptor to another: read from the one, not yet taken by the other.
///
/// Neither side is waited for, where the descriptors do not block. Memory is taken with the first byte that is read.
public struct StreamBuffer: Sendable {
    /// As much as a pipe holds.
    public static let pipeByteCount = 65536

    /// What a read brought.
    public enum Filled: Hashable, Sendable {
        case bytes(Int)
        case nothingYet
        /// The end of the stream, or an error, after which nothing comes either.
        case ended
    }

    /// What a write came to.
    public enum Drained: Hashable, Sendable {
        case bytes(Int)
        case nothingNow
        /// The sink takes nothing any more.
        case refused(Errno)
    }

    private var bytes: [UInt8]
    private var start = 0
    private var end: Int
    private let chunkByteCount: Int

    /// - Parameters:
    ///   - chunkByteCount: how many bytes are read at once, and how much room a full buffer gets when it is filled.
    ///   - content: what is in it at first.
    public init(chunkByteCount: Int = Self.pipeByteCount, content: [UInt8] = []) {
        self.chunkByteCount = chunkByteCount
        bytes = content
        end = content.count
    }

    /// How many bytes wait for the sink.
    public var count: Int { end - start }
    /// Nothing waits for the sink.
    public var isEmpty: Bool { start == end }

    /// Drops what waits for the sink.
    public mutating func removeAll() { start = end }

    /// One read(2) into the room behind what is there; a buffer without room grows.
    public mutating func fill(from source: BorrowedDescriptor) -> Filled {
        makeRoom()
        let offset = end
        let result = unsafe bytes.withUnsafeMutableBytes { bytes in
            while true {
                let count = unsafe answer(__NR_read, source.argument, bytes.argument + offset, bytes.count - offset)
                if count != -Int(EINTR) { return count }
            }
        }
        if result == -Int(EAGAIN) { return .nothingYet }
        // A terminal whose other side is gone reads as EIO; a reset connection is an end as well.
        if result <= 0 { return .ended }
        end += result
        return .bytes(result)
    }

    /// One write(2) of what is there.
    public mutating func drain(to sink: BorrowedDescriptor) -> Drained {
        let (first, count) = (start, count)
        let result = unsafe bytes.withUnsafeBytes { bytes in
            while true {
                let count = unsafe answer(__NR_write, sink.argument, bytes.argument + first, count)
                if count != -Int(EINTR) { return count }
            }
        }
        if result == -Int(EAGAIN) { return .nothingNow }
        if result < 0 { return .refused(Errno(rawValue: Int32(-result))) }
        start += result
        return .bytes(result)
    }

    /// One recvmsg(2) without waiting, for a buffer that is empty.
    ///
    /// - Throws: `EOPNOTSUPP` where descriptors came along, which are closed by now; what broke the connection.
    public mutating func receive(from socket: BorrowedDescriptor) throws(Errno) -> Filled {
        precondition(isEmpty)
        makeRoom()
        switch try Socket.receive(into: &bytes, from: socket) {
        case .nothingYet: return .nothingYet
        case .descriptors: throw .notSupported
        case .bytes(0): return .ended
        case .bytes(let count):
            end = count
            return .bytes(count)
        }
    }

    /// One send(2) of what is there, without waiting.
    ///
    /// - Returns: how many bytes were taken; 0 where the socket takes nothing now.
    public mutating func send(on socket: BorrowedDescriptor) throws(Errno) -> Int {
        let count = try Socket.send(bytes, from: start, upTo: end, on: socket)
        start += count
        return count
    }

    private mutating func makeRoom() {
        if isEmpty {
            (start, end) = (0, 0)
            if bytes.count < chunkByteCount { bytes = [UInt8](repeating: 0, count: chunkByteCount) }
        } else if end == bytes.count {
            bytes.removeFirst(start)
            (start, end) = (0, end - start)
            if bytes.count - end < chunkByteCount { bytes += [UInt8](repeating: 0, count: chunkByteCount) }
        }
    }
}
