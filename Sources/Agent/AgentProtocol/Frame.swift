// SPDX-License-Identifier: Apache-2.0
public import Protobuf

/// A frame is a little-endian 32-bit byte count and that many bytes of one message.
public enum Frame {
    /// The most bytes one message of the agent's may have: it is not trusted with more of the host's memory.
    public static let limit = 4 << 20
    /// The most bytes a request may have. The arguments and the environment are 6 MiB at most, execve(2).
    public static let requestLimit = 16 << 20

    /// `message` as a frame.
    public static func wrap(_ message: [UInt8], limit: Int = limit) throws(MessageError) -> [UInt8] {
        guard message.count <= limit else { throw .tooLong(byteCount: message.count, limit: limit) }
        var frame: [UInt8] = []
        frame.reserveCapacity(4 + message.count)
        for shift in stride(from: 0, to: 32, by: 8) { frame.append(UInt8(truncatingIfNeeded: message.count >> shift)) }
        frame += message
        return frame
    }

    /// `message` packed, as a frame.
    static func pack(_ message: some AgentMessage, limit: Int) throws(MessageError) -> [UInt8] {
        let (bytes, failure) = message.pack()
        if let failure { throw failure }
        return try wrap(bytes, limit: limit)
    }
}

/// Finds the frames in a stream of bytes that arrives in pieces of any size.
public struct FrameReader: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0
    private let limit: Int

    /// - Parameter limit: the most bytes a message may have here, at most ``Frame/requestLimit``.
    public init(limit: Int = Frame.limit) {
        self.limit = min(limit, Frame.requestLimit)
    }

    /// How many bytes wait for the rest of their frame.
    public var pendingByteCount: Int { buffer.count - start }

    /// Adds what was read.
    public mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer += bytes
    }

    /// The next whole message; nil where more bytes must come first.
    ///
    /// - Throws: `tooLong`, as soon as the count is there. The stream cannot be read on.
    public mutating func next() throws(MessageError) -> [UInt8]? {
        guard pendingByteCount >= 4 else { return nil }
        var byteCount = 0
        for index in 0..<4 { byteCount |= Int(buffer[start + index]) << (8 * index) }
        guard byteCount <= limit else { throw .tooLong(byteCount: byteCount, limit: limit) }
        guard pendingByteCount - 4 >= byteCount else { return nil }
        let message = Array(buffer[(start + 4)..<(start + 4 + byteCount)])
        start += 4 + byteCount
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.count <= 65536)
            start = 0
        }
        return message
    }
}
