// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// Bytes of the kernel's, read within their bounds: nil for what lies outside. Numbers are in the processor's order.
struct Fields {
    let bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    func number<Number: FixedWidthInteger>(_ offset: Int, as type: Number.Type = Number.self) -> Number? {
        let byteCount = Number.bitWidth / 8
        guard offset >= 0, bytes.count >= byteCount, offset <= bytes.count - byteCount else { return nil }
        let start = bytes.startIndex + offset
        return bytes[start..<start + byteCount].reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }

    /// The attributes that begin at `offset`.
    func attributes(from offset: Int) -> Attributes? {
        guard offset <= bytes.count else { return nil }
        return Attributes(bytes[(bytes.startIndex + offset)...])
    }
}

/// struct nlattr after struct nlattr.
struct Attributes {
    private var values: [(type: UInt16, value: ArraySlice<UInt8>)] = []

    /// nil where one does not lie within `bytes`.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while rest.count >= 4 {
            let header = Fields(rest)
            guard let length: UInt16 = header.number(0), let type: UInt16 = header.number(2), length >= 4,
                Int(length) <= rest.count
            else { return nil }
            // The two highest bits are about the value's form.
            values.append((type & 0x3fff, rest.dropFirst(4).prefix(Int(length) - 4)))
            rest = rest.dropFirst((Int(length) + 3) & ~3)
        }
    }

    /// The value of the last attribute of this type.
    subscript(_ type: UInt16) -> ArraySlice<UInt8>? { values.last { $0.type == type }?.value }

    /// A number of at least its own width.
    func number<Number: FixedWidthInteger>(_ type: UInt16, as number: Number.Type = Number.self) -> Number? {
        self[type].flatMap { Fields($0).number(0) }
    }

    /// The bytes before the NUL.
    func text(_ type: UInt16) -> [UInt8]? { self[type].map { Array($0.prefix { $0 != 0 }) } }

    func nested(_ type: UInt16) -> Attributes? { self[type].flatMap { Attributes($0) } }

    /// An IPv4 or IPv6 address.
    func address(_ type: UInt16) -> IPAddress? { self[type].flatMap { IPAddress(Array($0)) } }
}

/// What the kernel answers to one request: datagrams of messages, until one says that it was all.
struct Reply<Value> {
    let operation: String
    let operand: String
    let sequence: UInt32
    /// The type of the messages that are asked for.
    let type: UInt16
    /// As many are read.
    let limit: Int
    /// nil: not of those that are asked for.
    let decode: (Fields) throws(NetlinkError) -> Value?

    private(set) var values: [Value] = []
    /// What was listed changed meanwhile.
    private(set) var wasInterrupted = false
    /// Why the values are of no use. The rest of the answer is to be read all the same.
    private var failure: NetlinkError?

    init(
        to request: Request, sequence: UInt32, type: UInt16, limit: Int,
        _ decode: @escaping (Fields) throws(NetlinkError) -> Value?
    ) {
        operation = request.operation
        operand = request.operand
        self.sequence = sequence
        self.type = type
        self.limit = limit
        self.decode = decode
    }

    /// Takes the next datagram.
    ///
    /// - Returns: whether it was the last.
    mutating func take(_ datagram: ArraySlice<UInt8>) throws(NetlinkError) -> Bool {
        var rest = datagram
        while rest.count >= 16 {
            let header = Fields(rest)
            guard let length: UInt32 = header.number(0), let type: UInt16 = header.number(4),
                let flags: UInt16 = header.number(6), let sequence: UInt32 = header.number(8), length >= 16,
                Int(length) <= rest.count
            else { throw .malformed(operation: operation) }
            let body = rest.dropFirst(16).prefix(Int(length) - 16)
            rest = rest.dropFirst((Int(length) + 3) & ~3)
            // The end of an answer that nobody waited for.
            guard sequence == self.sequence else { continue }
            if flags & 0x10 != 0 { wasInterrupted = true }
            switch type {
            case MessageType.done, MessageType.error:
                try end(Fields(body), flags, isError: type == MessageType.error)
                return true
            case self.type: take(Fields(body))
            default: continue
            }
        }
        return false
    }

    private mutating func take(_ message: Fields) {
        guard failure == nil else { return }
        do throws(NetlinkError) {
            guard let value = try decode(message) else { return }
            if values.count == limit { throw .tooMany(operation: operation, limit: limit) }
            values.append(value)
        } catch {
            failure = error
        }
    }

    private func end(_ body: Fields, _ flags: UInt16, isError: Bool) throws(NetlinkError) {
        if let failure { throw failure }
        // The end of a list has a number since Linux 4.20 or so.
        guard let result: Int32 = body.number(0) ?? (isError ? nil : 0) else { throw .malformed(operation: operation) }
        guard result < 0 else { return }
        // NLM_F_ACK_TLVS; after an error comes the header of the request.
        let attributes = flags & 0x200 != 0 ? body.attributes(from: isError ? 20 : 4) : nil
        let reason = (attributes?.text(1) ?? []).prefix(200).map { $0 < 0x20 || $0 > 0x7e ? UInt8(ascii: "?") : $0 }
        throw .refused(
            operation: operation, operand: operand, Errno(rawValue: result == .min ? .max : -result),
            reason: String(decoding: reason, as: UTF8.self))
    }
}
