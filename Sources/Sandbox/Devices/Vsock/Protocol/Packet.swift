// SPDX-License-Identifier: Apache-2.0
public import GuestMemory

/// Context identifiers, virtio 1.2 §5.10.4.
public enum ContextID {
    /// The host, VMADDR_CID_HOST.
    public static let host: UInt64 = 2
}

/// What a packet asks for, virtio 1.2 §5.10.6.
public enum Operation: Hashable, Sendable {
    case request
    case response
    case reset
    case shutdown
    case readWrite
    case creditUpdate
    case creditRequest
    case unknown(UInt16)

    /// What a header's `op` means; an unknown one is kept with its number.
    public init(rawValue: UInt16) {
        switch rawValue {
        case 1: self = .request
        case 2: self = .response
        case 3: self = .reset
        case 4: self = .shutdown
        case 5: self = .readWrite
        case 6: self = .creditUpdate
        case 7: self = .creditRequest
        default: self = .unknown(rawValue)
        }
    }

    /// The bits.
    public var rawValue: UInt16 {
        switch self {
        case .request: 1
        case .response: 2
        case .reset: 3
        case .shutdown: 4
        case .readWrite: 5
        case .creditUpdate: 6
        case .creditRequest: 7
        case .unknown(let value): value
        }
    }
}

/// The directions a side has given up for good, virtio 1.2 §5.10.6.6: the flags of a SHUTDOWN packet.
public struct Shutdown: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: UInt32
    /// From a header's `flags`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The sender of the packet will not receive any more.
    public static let receiving = Shutdown(rawValue: 1)
    /// The sender of the packet will not send any more.
    public static let sending = Shutdown(rawValue: 2)
    /// The peer neither receives nor sends any more.
    public static let both: Shutdown = [.receiving, .sending]
}

/// struct virtio_vsock_hdr, virtio 1.2 §5.10.6.
public struct PacketHeader: Hashable, Sendable {
    /// Of struct virtio_vsock_hdr.
    public static let byteCount = 44
    /// VIRTIO_VSOCK_TYPE_STREAM.
    public static let streamType: UInt16 = 1

    /// Who sends it.
    public var sourceCID: UInt64
    /// Who it is for.
    public var destinationCID: UInt64
    /// Of the sender.
    public var sourcePort: UInt32
    /// Of the receiver.
    public var destinationPort: UInt32
    /// The bytes of payload behind the header.
    public var payloadCount: UInt32 = 0
    /// A stream's; anything else is refused.
    public var type: UInt16 = PacketHeader.streamType
    /// What the packet asks for.
    public var operation: Operation
    /// Of a shutdown: what ends.
    public var flags: UInt32 = 0
    /// The sender's receive buffer in bytes, `buf_alloc`.
    public var window: UInt32 = 0
    /// The bytes the sender has taken out of that buffer so far, modulo 2³², `fwd_cnt`.
    public var forwarded: UInt32 = 0

    /// Without payload; the sender's credit is filled in later.
    public init(
        sourceCID: UInt64, destinationCID: UInt64, sourcePort: UInt32, destinationPort: UInt32, operation: Operation
    ) {
        self.sourceCID = sourceCID
        self.destinationCID = destinationCID
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.operation = operation
    }

    /// Reads the header once from the first bytes of `slices`, wherever the driver cut them.
    ///
    /// - Returns: nil where they hold less than a header.
    public init?(in slices: [GuestSlice]) {
        if let first = slices.first, first.count >= Self.byteCount {
            try? self.init(in: first)
        } else {
            guard let bytes = slices.copyOfFirst(Self.byteCount) else { return nil }
            self.init(bytes: bytes)
        }
    }

    private init(in slice: GuestSlice) throws(GuestMemoryError) {
        sourceCID = try slice.load(at: 0)
        destinationCID = try slice.load(at: 8)
        sourcePort = try slice.load(at: 16)
        destinationPort = try slice.load(at: 20)
        payloadCount = try slice.load(at: 24)
        type = try slice.load(at: 28)
        operation = Operation(rawValue: try slice.load(at: 30))
        flags = try slice.load(at: 32)
        window = try slice.load(at: 36)
        forwarded = try slice.load(at: 40)
    }

    /// - Parameter bytes: a whole header.
    private init(bytes: [UInt8]) {
        func integer<Value: FixedWidthInteger>(_ offset: Int, _ type: Value.Type = Value.self) -> Value {
            var value: Value = 0
            for index in (0..<MemoryLayout<Value>.size).reversed() { value = value << 8 | Value(bytes[offset + index]) }
            return value
        }
        sourceCID = integer(0)
        destinationCID = integer(8)
        sourcePort = integer(16)
        destinationPort = integer(20)
        payloadCount = integer(24)
        type = integer(28)
        operation = Operation(rawValue: integer(30))
        flags = integer(32)
        window = integer(36)
        forwarded = integer(40)
    }

    /// The 44 bytes as they stand on the wire.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        func append(_ value: some FixedWidthInteger) {
            for index in 0..<(value.bitWidth / 8) { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
        }
        append(sourceCID)
        append(destinationCID)
        append(sourcePort)
        append(destinationPort)
        append(payloadCount)
        append(type)
        append(operation.rawValue)
        append(flags)
        append(window)
        append(forwarded)
        return bytes
    }

    /// Writes the header to the first bytes of `slices`, which hold at least that many.
    public func write(to slices: [GuestSlice]) throws(GuestMemoryError) {
        guard let first = slices.first, first.count >= Self.byteCount else {
            try slices.store(bytes)
            return
        }
        try first.store(sourceCID, at: 0)
        try first.store(destinationCID, at: 8)
        try first.store(sourcePort, at: 16)
        try first.store(destinationPort, at: 20)
        try first.store(payloadCount, at: 24)
        try first.store(type, at: 28)
        try first.store(operation.rawValue, at: 30)
        try first.store(flags, at: 32)
        try first.store(window, at: 36)
        try first.store(forwarded, at: 40)
    }

    /// The RST that answers this packet where no connection does.
    var reset: PacketHeader {
        var answer = PacketHeader(
            sourceCID: destinationCID, destinationCID: sourceCID, sourcePort: destinationPort,
            destinationPort: sourcePort, operation: .reset)
        answer.type = type
        return answer
    }
}
