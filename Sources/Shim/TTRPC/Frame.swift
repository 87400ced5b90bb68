// SPDX-License-Identifier: Apache-2.0
/// ttrpc's frame: a header of ten bytes, then the payload. The first four bytes are the payload's byte count and the
/// next four the stream, both big-endian; then the kind and its flags.
struct Frame: Hashable, Sendable {
    struct Header: Hashable, Sendable {
        static let byteCount = 10

        var payloadByteCount: Int
        var stream: UInt32
        var kind: Kind
        /// 0 for a request with one answer, and for its answer. Others are of streams.
        var flags: UInt8
    }

    struct Kind: RawRepresentable, Hashable, Sendable {
        var rawValue: UInt8

        static let request = Kind(rawValue: 1)
        static let response = Kind(rawValue: 2)
        static let data = Kind(rawValue: 3)
    }

    /// The most bytes of a payload.
    static let limit = 4 << 20

    var header: Header
    var payload: [UInt8]
}

extension Frame {
    /// - Precondition: `payload` is no longer than the limit.
    init(stream: UInt32, _ kind: Kind, _ payload: [UInt8]) {
        precondition(payload.count <= Self.limit)
        header = Header(payloadByteCount: payload.count, stream: stream, kind: kind, flags: 0)
        self.payload = payload
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Header.byteCount + payload.count)
        for number in [UInt32(header.payloadByteCount), header.stream] {
            for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
        }
        bytes.append(header.kind.rawValue)
        bytes.append(header.flags)
        return bytes + payload
    }
}

extension Frame.Header {
    /// - Parameter bytes: ten of them.
    init(_ bytes: ArraySlice<UInt8>) {
        func number(_ offset: Int) -> UInt32 {
            bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }
        payloadByteCount = Int(number(0))
        stream = number(4)
        kind = Frame.Kind(rawValue: bytes[bytes.startIndex + 8])
        flags = bytes[bytes.startIndex + 9]
    }
}
