// SPDX-License-Identifier: Apache-2.0
/// Finds the frames in a stream of bytes that arrives in pieces of any size. Holds at most one frame that is not
/// whole yet, and what arrived with its end.
struct FrameReader {
    enum Found: Hashable {
        case frame(Frame)
        /// A frame above the limit; its payload is passed over.
        case tooLong(Frame.Header)
    }

    /// A byte count whose first byte, which is reserved, is not zero. The stream cannot be read on.
    struct Malformed: Error, Hashable {
        var header: Frame.Header
    }

    private var buffer: [UInt8] = []
    private var start = 0
    /// How much of a payload that is passed over has still to come.
    private var skipped = 0

    /// Whether a frame has begun and is not whole.
    var isInFrame: Bool { start < buffer.count || skipped > 0 }

    mutating func append(_ bytes: [UInt8]) {
        let count = min(skipped, bytes.count)
        skipped -= count
        buffer.removeFirst(start)
        start = 0
        buffer += bytes.dropFirst(count)
    }

    /// The next frame; nil where more bytes must come first.
    mutating func next() throws(Malformed) -> Found? {
        guard buffer.count - start >= Frame.Header.byteCount else { return rest() }
        let payloadStart = start + Frame.Header.byteCount
        let header = Frame.Header(buffer[start..<payloadStart])
        guard header.payloadByteCount < 1 << 24 else { throw Malformed(header: header) }
        let there = min(header.payloadByteCount, buffer.count - payloadStart)
        guard header.payloadByteCount <= Frame.limit else {
            start = payloadStart + there
            skipped = header.payloadByteCount - there
            return .tooLong(header)
        }
        guard there == header.payloadByteCount else { return rest() }
        start = payloadStart + there
        return .frame(Frame(header: header, payload: Array(buffer[payloadStart..<start])))
    }

    /// Nothing more now: memory of a large frame is not kept.
    private mutating func rest() -> Found? {
        if start == buffer.count {
            buffer = []
            start = 0
        }
        return nil
    }
}
