// SPDX-License-Identifier: Apache-2.0
/// The protocol of one connection, virtio 1.2 §5.10.6: its phase, its credit both ways and its shutdown both
/// ways. It knows of no queue and no socket: packets and what happened on the host go in, packets come out.
public struct Connection: Sendable {
    /// How far the connection has come.
    public enum Phase: Hashable, Sendable {
        /// The guest asked, and the host's end is not there yet.
        case dialing
        /// The host asked, and the guest has not answered yet.
        case requesting
        case established
    }

    /// What a packet of the guest leads to.
    public enum Outcome: Hashable, Sendable {
        case nothing
        /// The guest took the connection the host asked for.
        case accepted
        /// The packet's payload is for the host.
        case data
        /// The guest gave up a direction, but not both.
        case shutdown
        /// The guest is done with the connection and waits for RST.
        case closed
        /// The guest dropped the connection.
        case reset
        /// The packet breaks the protocol: the connection is to be reset.
        case violation(Violation)
    }

    /// How the guest broke the protocol.
    public enum Violation: Hashable, Sendable {
        /// An operation that has no place in this phase, or none anywhere.
        case operation(Operation)
        /// More bytes than the credit given.
        case window
        /// The guest claims to have taken bytes that were never sent.
        case forwarded
        case dataAfterShutdown
    }

    private struct Due: OptionSet {
        let rawValue: UInt8
        static let request = Due(rawValue: 1)
        static let response = Due(rawValue: 2)
        static let creditUpdate = Due(rawValue: 4)
        static let creditRequest = Due(rawValue: 8)
    }

    /// The guest's context identifier.
    public let guestCID: UInt64
    /// The guest's port.
    public let guestPort: UInt32
    /// The host's port.
    public let hostPort: UInt32
    /// How far the connection has come.
    public private(set) var phase: Phase

    /// What the guest, and what the host, will do no more.
    public private(set) var guestEnded: Shutdown = []
    /// What the host has shut down.
    public private(set) var hostEnded: Shutdown = []
    private var hostEndedTold: Shutdown = []

    // From the guest. All counts are modulo 2³².
    private let window: UInt32
    private var received: UInt32 = 0
    private var forwarded: UInt32 = 0
    private var forwardedTold: UInt32 = 0

    // To the guest.
    private var sent: UInt32 = 0
    private var guestWindow: UInt32 = 0
    private var guestForwarded: UInt32 = 0
    private var askedForCredit = false

    private var due: Due = []

    /// A connection the guest asks for with `request`.
    public init(request: PacketHeader, window: UInt32) {
        guestCID = request.sourceCID
        guestPort = request.sourcePort
        hostPort = request.destinationPort
        phase = .dialing
        self.window = window
        guestWindow = request.window
    }

    /// A connection the host asks for; the REQUEST is due at once.
    public init(guestCID: UInt64, guestPort: UInt32, hostPort: UInt32, window: UInt32) {
        self.guestCID = guestCID
        self.guestPort = guestPort
        self.hostPort = hostPort
        phase = .requesting
        self.window = window
        due = .request
    }

    /// Takes a packet of the guest.
    public mutating func receive(_ packet: PacketHeader) -> Outcome {
        if packet.operation == .reset { return .reset }
        guard takeCredit(packet) else { return .violation(.forwarded) }
        switch (phase, packet.operation) {
        case (.requesting, .response):
            phase = .established
            return .accepted
        case (.established, .readWrite):
            guard !guestEnded.contains(.sending) else { return .violation(.dataAfterShutdown) }
            // Held against what the guest was told, which an honest one never passes.
            guard packet.payloadCount <= window &- (received &- forwardedTold) else { return .violation(.window) }
            received &+= packet.payloadCount
            return packet.payloadCount == 0 ? .nothing : .data
        case (.established, .shutdown):
            // §5.10.6.6.1: the hints are permanent, so they add up.
            guestEnded.formUnion(Shutdown(rawValue: packet.flags).intersection(.both))
            return guestEnded == .both ? .closed : .shutdown
        case (.established, .creditUpdate):
            return .nothing
        case (.established, .creditRequest):
            due.insert(.creditUpdate)
            return .nothing
        default:
            return .violation(.operation(packet.operation))
        }
    }

    /// - Returns: whether the packet's credit can be true.
    private mutating func takeCredit(_ packet: PacketHeader) -> Bool {
        guestWindow = packet.window
        let advance = packet.forwarded &- guestForwarded
        if advance <= sent &- guestForwarded {
            if advance > 0 { askedForCredit = false }
            guestForwarded = packet.forwarded
            return true
        }
        // Linux counts and queues its packets under different locks, so that one with an older count may come
        // later: that is no news. A count ahead of what was sent is a lie.
        return advance >= 1 << 31
    }

    /// The bytes that may be sent to the guest now.
    public var credit: Int {
        let inFlight = sent &- guestForwarded
        return guestWindow > inFlight ? Int(guestWindow - inFlight) : 0
    }

    /// Whether bytes of the host are wanted: the guest listens, the host talks, there is credit.
    public var takesHostData: Bool {
        phase == .established && !guestEnded.contains(.receiving) && !hostEnded.contains(.sending) && credit > 0
    }

    /// The host's end is there: the guest gets its RESPONSE.
    public mutating func hostConnected() {
        phase = .established
        due.insert(.response)
    }

    /// The host has shut `directions` down; tells the guest.
    public mutating func hostEnds(_ directions: Shutdown) {
        hostEnded.formUnion(directions)
    }

    /// Whether the guest knows that the host is done, so that only its RST is missing.
    public var awaitsReset: Bool { hostEndedTold == .both }

    /// `byteCount` bytes of the guest have left the buffer, whose room it may use again.
    public mutating func forward(_ byteCount: Int) {
        forwarded &+= UInt32(byteCount)
        // Told well before the guest runs dry, and not for every byte.
        if forwarded &- forwardedTold >= window / 4 { due.insert(.creditUpdate) }
    }

    /// There are bytes for the guest and no credit: ask for some, once.
    public mutating func wantCredit() {
        guard phase == .established, !askedForCredit, credit == 0, !guestEnded.contains(.receiving),
            !hostEnded.contains(.sending)
        else { return }
        askedForCredit = true
        due.insert(.creditRequest)
    }

    /// Whether ``nextControl()`` has a packet.
    public var hasControl: Bool { !due.isEmpty || (hostEnded != hostEndedTold && phase == .established) }

    /// The next packet without payload that is due, if any.
    public mutating func nextControl() -> PacketHeader? {
        if due.contains(.request) {
            due.remove(.request)
            return packet(.request)
        }
        if due.contains(.response) {
            due.remove(.response)
            return packet(.response)
        }
        if hostEnded != hostEndedTold, phase == .established {
            hostEndedTold = hostEnded
            var shutdown = packet(.shutdown)
            shutdown.flags = hostEnded.rawValue
            return shutdown
        }
        if due.contains(.creditRequest) {
            due.remove(.creditRequest)
            return packet(.creditRequest)
        }
        if due.contains(.creditUpdate) { return packet(.creditUpdate) }
        return nil
    }

    /// The packet that carries `byteCount` bytes of the host, no more than ``credit``.
    public mutating func data(byteCount: Int) -> PacketHeader {
        sent &+= UInt32(byteCount)
        var data = packet(.readWrite)
        data.payloadCount = UInt32(byteCount)
        return data
    }

    /// The RST that ends this connection.
    public var reset: PacketHeader {
        PacketHeader(
            sourceCID: ContextID.host, destinationCID: guestCID, sourcePort: hostPort, destinationPort: guestPort,
            operation: .reset)
    }

    /// Every packet tells the credit, which makes an update of its own needless.
    private mutating func packet(_ operation: Operation) -> PacketHeader {
        var packet = PacketHeader(
            sourceCID: ContextID.host, destinationCID: guestCID, sourcePort: hostPort, destinationPort: guestPort,
            operation: operation)
        packet.window = window
        packet.forwarded = forwarded
        forwardedTold = forwarded
        due.remove(.creditUpdate)
        return packet
    }
}
