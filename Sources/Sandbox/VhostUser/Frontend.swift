// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux
public import Virtio

/// The front-end's side of vhost-user: what a monitor does to have a device served by another process.
///
/// Each call is one exchange on the socket. Where the back-end can acknowledge (REPLY_ACK) a call returns once
/// it was obeyed, and throws ``VhostUserError/refused(request:_:)`` where it was not; otherwise once it was sent.
///
/// A back-end whose answer does not come within ``patience`` is `.receive(.timedOut)`. What it answers later would
/// be taken for the answer to something else: hang up.
public final class Frontend {
    private let connection: Connection
    /// How long one answer may take; nil waits for ever.
    public let patience: Duration?
    /// What the back-end offers, the bits of vhost-user left out.
    public let offeredFeatures: UInt64
    /// Those that both sides have.
    public let protocolFeatures: ProtocolFeatures
    private let hasProtocolFeatures: Bool
    private var regions: [GuestMemory.Piece] = []

    /// Greets the back-end: features and protocol features are known afterwards, and the session is owned.
    ///
    /// - Parameter connection: a connected unix stream socket, from now on the front-end's.
    /// - Parameter protocolFeatures: those wanted; what the back-end lacks is left out.
    public init(
        connection: consuming FileDescriptor,
        protocolFeatures wanted: ProtocolFeatures = [.multipleQueues, .replyAcknowledge, .configuration],
        patience: Duration? = nil
    ) throws(VhostUserError) {
        do { try connection.setNonBlocking(false) } catch { throw .receive(error) }
        let link = Connection(socket: connection)
        let all = try link.exchange(.getFeatures, patience: patience).number()
        hasProtocolFeatures = all & VhostUserFeature.protocolFeatures != 0
        if hasProtocolFeatures {
            let offered = ProtocolFeatures(
                rawValue: try link.exchange(.getProtocolFeatures, patience: patience).number())
            protocolFeatures = offered.intersection(wanted)
            try link.send(
                request: VhostUserRequest.setProtocolFeatures.rawValue, flags: 0, Payload(protocolFeatures.rawValue))
        } else {
            protocolFeatures = []
        }
        offeredFeatures = all & ~VhostUserFeature.protocolFeatures
        try link.send(request: VhostUserRequest.setOwner.rawValue, flags: 0, Payload())
        self.connection = link
        self.patience = patience
    }

    /// Agrees on those of `wanted` that are offered.
    ///
    /// - Returns: the features agreed on.
    public func negotiate(_ wanted: UInt64) throws(VhostUserError) -> UInt64 {
        let agreed = wanted & offeredFeatures
        let bit = hasProtocolFeatures ? VhostUserFeature.protocolFeatures : 0
        try command(.setFeatures, Payload(agreed | bit))
        return agreed
    }

    /// How many queues the back-end has; nil where it cannot be asked.
    public func queueCount() throws(VhostUserError) -> UInt64? {
        guard protocolFeatures.contains(.multipleQueues) else { return nil }
        return try connection.exchange(.getQueueCount, patience: patience).number()
    }

    /// The `byteCount` bytes of the configuration space from `offset` on; nil where the back-end has none there.
    public func configuration(from offset: UInt32 = 0, byteCount: UInt32) throws(VhostUserError) -> [UInt8]? {
        guard byteCount <= UInt32(Wire.configurationLimit) else {
            throw .payloadSize(request: VhostUserRequest.getConfiguration.rawValue, byteCount: byteCount)
        }
        var payload = Payload()
        payload.append(offset)
        payload.append(byteCount)
        payload.append(UInt32(0))
        payload.bytes += [UInt8](repeating: 0, count: Int(byteCount))
        let reply = try connection.exchange(.getConfiguration, payload, patience: patience).bytes
        return reply.count == 12 + Int(byteCount) ? Array(reply[12...]) : nil
    }

    /// Hands the guest's memory over, at most 8 regions. Each `frontEndStart` must be told apart from the others:
    /// ring addresses are sent as such.
    public func setMemory(_ pieces: [GuestMemory.Piece]) throws(VhostUserError) {
        guard pieces.count <= Wire.regionLimit else {
            throw .descriptorCount(request: VhostUserRequest.setMemoryTable.rawValue, pieces.count)
        }
        var payload = Payload()
        payload.append(UInt32(pieces.count))
        payload.append(UInt32(0))
        for piece in pieces { payload.append(RegionMessage(piece)) }
        try command(.setMemoryTable, payload, descriptors: pieces.map(\.file))
        regions = pieces
    }

    /// Adds one region, with the protocol feature ``ProtocolFeatures/memorySlots``.
    public func addMemory(_ piece: GuestMemory.Piece) throws(VhostUserError) {
        var payload = Payload(UInt64(0))
        payload.append(RegionMessage(piece))
        try command(.addMemoryRegion, payload, descriptors: [piece.file])
        regions.append(piece)
    }

    /// Takes one region away again.
    public func removeMemory(_ piece: GuestMemory.Piece) throws(VhostUserError) {
        var payload = Payload(UInt64(0))
        payload.append(RegionMessage(piece))
        try command(.removeMemoryRegion, payload)
        regions.removeAll { $0.start == piece.start && $0.byteCount == piece.byteCount }
    }

    /// Describes a ring and starts it; it is served once it is enabled as well. The descriptors are lent.
    public func startRing(
        _ index: Int, _ layout: Virtqueue.Layout, base: UInt16 = 0, kick: borrowing EventFD, call: borrowing EventFD
    ) throws(VhostUserError) {
        let ring = UInt32(truncatingIfNeeded: index)
        try command(.setRingSize, Payload(ring: ring, UInt32(layout.size)))
        try command(.setRingBase, Payload(ring: ring, UInt32(base)))
        var address = Payload()
        address.append(
            RingAddressMessage(
                index: ring, flags: 0, descriptors: try frontEnd(layout.descriptors, index),
                used: try frontEnd(layout.used, index), available: try frontEnd(layout.available, index), log: 0))
        try command(.setRingAddress, address)
        try setCall(index, call)
        try command(.setRingKick, Payload(UInt64(ring)), descriptors: [kick.descriptor.borrowed])
    }

    /// Has the back-end signal another descriptor from now on.
    public func setCall(_ index: Int, _ call: borrowing EventFD) throws(VhostUserError) {
        try command(.setRingCall, Payload(UInt64(index)), descriptors: [call.descriptor.borrowed])
    }

    /// Lets the back-end serve a ring, or not. Without protocol features every ring is enabled from its start.
    public func enableRing(_ index: Int, _ isEnabled: Bool = true) throws(VhostUserError) {
        guard hasProtocolFeatures else { return }
        try command(.setRingEnable, Payload(ring: UInt32(truncatingIfNeeded: index), isEnabled ? 1 : 0))
    }

    /// Stops a ring.
    ///
    /// - Returns: the next entry of its available ring, where ``startRing(_:_:base:kick:call:)`` may go on.
    public func stopRing(_ index: Int) throws(VhostUserError) -> UInt16 {
        let ring = UInt32(truncatingIfNeeded: index)
        let reply = try connection.exchange(.getRingBase, Payload(ring: ring, 0), patience: patience)
        guard reply.bytes.count == 8, let base = UInt16(exactly: reply.load(UInt32.self, at: 4)) else {
            throw .payloadSize(request: VhostUserRequest.getRingBase.rawValue, byteCount: UInt32(reply.bytes.count))
        }
        return base
    }

    /// Takes the device back to its beginning, with the protocol feature ``ProtocolFeatures/resetDevice``.
    public func resetDevice() throws(VhostUserError) {
        try command(.resetDevice, Payload())
    }

    /// Ends the session: the back-end reads the end of the stream and resets its device. No call works afterwards.
    public func hangUp() {
        // A back-end that is gone already needs no telling.
        try? UnixSocket.shutdownWriting(connection.socket.borrowed)
    }

    /// Says, by becoming readable, that the back-end has hung up: it sends nothing unasked. A descriptor of the
    /// caller's own on the same socket.
    public func watchedDescriptor() throws(Errno) -> FileDescriptor { try connection.socket.duplicate() }

    private func frontEnd(_ address: GuestAddress, _ index: Int) throws(VhostUserError) -> UInt64 {
        for region in regions where address >= region.start {
            let offset = address.rawValue - region.start.rawValue
            if offset < region.byteCount { return region.frontEndStart &+ offset }
        }
        throw .ringAddress(index: index, address.rawValue)
    }

    /// Sends a request with no answer of its own, and waits for the acknowledgement where there is one.
    private func command(
        _ request: VhostUserRequest, _ payload: Payload, descriptors: [BorrowedDescriptor] = []
    ) throws(VhostUserError) {
        let acknowledges = protocolFeatures.contains(.replyAcknowledge)
        try connection.send(
            request: request.rawValue, flags: acknowledges ? Wire.needReply : 0, payload, descriptors: descriptors)
        guard acknowledges else { return }
        let status = try connection.reply(to: request, patience: patience).number()
        if status != 0 { throw .refused(request: request.rawValue, status) }
    }
}

extension Connection {
    /// Sends a request that is answered with a payload of its own.
    func exchange(
        _ request: VhostUserRequest, _ payload: Payload = Payload(), patience: Duration?
    ) throws(VhostUserError) -> Payload {
        try send(request: request.rawValue, flags: 0, payload)
        return try reply(to: request, patience: patience)
    }

    func reply(to request: VhostUserRequest, patience: Duration?) throws(VhostUserError) -> Payload {
        guard let reply = try receive(until: patience.map { Deadline(after: $0) }) else {
            throw .truncated(byteCount: 0, expected: Wire.headerSize)
        }
        guard reply.request == request.rawValue, reply.flags & Wire.reply != 0 else {
            throw .unexpectedReply(request: request.rawValue, reply: reply.request)
        }
        return reply.payload
    }
}

extension Payload {
    /// The one number of a reply.
    func number() throws(VhostUserError) -> UInt64 {
        guard bytes.count == 8 else { throw .payloadSize(request: 0, byteCount: UInt32(bytes.count)) }
        return load(at: 0)
    }
}

extension RegionMessage {
    init(_ piece: GuestMemory.Piece) {
        self.init(
            start: piece.start, byteCount: piece.byteCount, frontEndStart: piece.frontEndStart,
            fileOffset: piece.offset)
    }
}
