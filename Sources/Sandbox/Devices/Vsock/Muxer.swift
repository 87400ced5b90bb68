// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux

/// All connections of one guest: which packet and which stream belong together, and whose turn it is.
///
/// It knows of no queue and no socket: the device feeds it packets and buffers, the host's streams stand behind
/// ``HostStream``. Used by one thread. Time is what the caller says it is, from any fixed start.
public final class Muxer {
    let guestCID: UInt64
    let limits: VsockLimits
    unowned let host: any HostPorts

    private struct Ports: Hashable {
        let guest: UInt32
        let host: UInt32
    }

    private var byPorts: [Ports: Channel] = [:]
    private var byToken: [UInt64: Channel] = [:]
    /// Those with something for the guest, each once, one packet a turn.
    private var ready = Queue<Channel>()
    /// RST packets of connections that are no more, or never were.
    private var resets = Queue<PacketHeader>()
    /// Those with a deadline, and the earliest of these.
    private var timed: Set<UInt64> = []
    private var earliest: Duration?
    private var lastToken: UInt64
    private var lastHostPort: UInt32 = firstHostPort - 1

    /// Ports given to host peers lie where no service's are.
    private static let firstHostPort: UInt32 = 1 << 30

    /// - Parameter firstToken: tokens below it are the caller's own.
    public init(guestCID: UInt64, host: any HostPorts, limits: VsockLimits, firstToken: UInt64 = 0) {
        self.guestCID = guestCID
        self.host = host
        self.limits = limits
        lastToken = firstToken
    }

    /// In whatever phase.
    public var connectionCount: Int { byToken.count }

    /// Whether there is room for one more connection.
    public var hasRoom: Bool { byToken.count < limits.connections }

    /// Whether the guest must take RST packets before more of its own are looked at, virtio 1.2 §5.10.6.1.
    public var isCongested: Bool { resets.count >= limits.resets }

    /// Whether ``nextPacket(into:)`` may have something, so that a buffer is worth taking.
    public var hasPackets: Bool { !resets.isEmpty || !ready.isEmpty }

    /// A token no stream has had before.
    public func newToken() -> UInt64 {
        lastToken += 1
        return lastToken
    }

    // MARK: From the guest

    /// Takes a packet of the guest. `payload` holds exactly what the header says.
    public func receive(_ packet: PacketHeader, payload: [GuestSlice], now: Duration) {
        // A forged sender gets no answer.
        guard packet.sourceCID == guestCID else { return }
        guard packet.destinationCID == ContextID.host, packet.type == PacketHeader.streamType else {
            return refuse(packet)
        }
        let ports = Ports(guest: packet.sourcePort, host: packet.destinationPort)
        guard let channel = byPorts[ports] else {
            return packet.operation == .request ? open(packet, ports, now) : refuse(packet)
        }
        switch channel.connection.receive(packet) {
        case .nothing:
            break
        case .accepted:
            accepted(channel)
        case .data:
            channel.forward(payload, byteCount: Int(packet.payloadCount))
        case .shutdown:
            if channel.connection.guestEnded.contains(.receiving) { channel.stream?.endReceiving() }
            channel.flush()
        case .closed:
            resets.append(channel.connection.reset)
            detach(channel)
        case .reset:
            detach(channel)
        case .violation:
            reset(channel)
        }
        schedule(channel)
    }

    /// Answers with RST a packet whose payload is not what its header says.
    public func refuseMalformed(_ packet: PacketHeader) {
        guard packet.sourceCID == guestCID else { return }
        let ports = Ports(guest: packet.sourcePort, host: packet.destinationPort)
        if packet.destinationCID == ContextID.host, let channel = byPorts[ports] {
            reset(channel)
        } else {
            refuse(packet)
        }
    }

    private func refuse(_ packet: PacketHeader) {
        if packet.operation != .reset { resets.append(packet.reset) }
    }

    private func open(_ packet: PacketHeader, _ ports: Ports, _ now: Duration) {
        guard hasRoom else { return refuse(packet) }
        let channel = Channel(
            token: newToken(), connection: Connection(request: packet, window: limits.window), stream: nil)
        byPorts[ports] = channel
        byToken[channel.token] = channel
        channel.dialEnds = now + Patience.dial
        dial(channel, now)
    }

    private func dial(_ channel: Channel, _ now: Duration) {
        do {
            channel.stream = try host.connect(toPort: channel.connection.hostPort, token: channel.token)
            channel.connection.hostConnected()
            setDeadline(nil, of: channel)
            schedule(channel)
        } catch  where error == .wouldBlock && now < channel.dialEnds {
            setDeadline(now + Patience.dialAgain, of: channel)
        } catch {
            reset(channel)
        }
    }

    private func accepted(_ channel: Channel) {
        setDeadline(nil, of: channel)
        let line = Array("OK \(channel.connection.hostPort)\n".utf8)
        // The peer has read nothing yet but has been sent nothing either: what does not fit is its own doing.
        let taken = try? channel.stream?.send(line[...])
        if taken != line.count { reset(channel) }
    }

    // MARK: From the host

    /// A host peer asks for the guest's `port` on `stream`, whose events come under `token`.
    ///
    /// - Returns: false where there is no room; the stream is then let go.
    public func request(guestPort: UInt32, stream: any HostStream, token: UInt64, now: Duration) -> Bool {
        guard hasRoom, let hostPort = freeHostPort(towards: guestPort) else { return false }
        let connection = Connection(guestCID: guestCID, guestPort: guestPort, hostPort: hostPort, window: limits.window)
        let channel = Channel(token: token, connection: connection, stream: stream)
        byPorts[Ports(guest: guestPort, host: hostPort)] = channel
        byToken[token] = channel
        setDeadline(now + Patience.request, of: channel)
        schedule(channel)
        return true
    }

    private func freeHostPort(towards guestPort: UInt32) -> UInt32? {
        for _ in 0...limits.connections {
            lastHostPort = lastHostPort == .max - 1 ? Self.firstHostPort : lastHostPort + 1
            if byPorts[Ports(guest: guestPort, host: lastHostPort)] == nil { return lastHostPort }
        }
        return nil
    }

    /// The stream behind `token` has bytes, or room, or its peer has gone.
    public func streamChanged(token: UInt64, events: Epoll.Events, now: Duration) {
        guard let channel = byToken[token] else { return }
        if !events.isDisjoint(with: [.readable, .peerHangUp, .hangUp, .error]) { channel.isReadable = true }
        if !events.isDisjoint(with: [.writable, .hangUp, .error]) { channel.isWritable = true }
        if !events.isDisjoint(with: [.peerHangUp, .hangUp, .error]) { channel.isEnding = true }
        if !events.isDisjoint(with: [.hangUp, .error]) { channel.isHungUp = true }
        channel.flush()
        if channel.isDetached {
            if channel.backlog.isEmpty { remove(channel) }
            return
        }
        if channel.isHungUp {
            if channel.connection.phase == .requesting { return reset(channel) }
            // Where nothing will be read any more, the end of the stream won't be either.
            let ended = channel.connection.hostEnded.contains(.sending)
            if ended || channel.connection.guestEnded.contains(.receiving) { channel.connection.hostEnds(.both) }
        }
        schedule(channel)
    }

    // MARK: To the guest

    /// Writes the next packet for the guest to `buffer`, which holds more than a header.
    ///
    /// - Returns: the bytes written, or nil when there is nothing.
    public func nextPacket(into buffer: [GuestSlice], now: Duration) throws(GuestMemoryError) -> Int? {
        while resets.isEmpty, let channel = ready.popFirst() {
            channel.isQueued = false
            guard byToken[channel.token] === channel, !channel.isDetached else { continue }
            if let packet = channel.connection.nextControl() {
                if packet.operation == .shutdown, channel.connection.awaitsReset {
                    setDeadline(now + Patience.close, of: channel)
                }
                schedule(channel)
                try packet.write(to: buffer)
                return PacketHeader.byteCount
            }
            if let byteCount = receive(from: channel, into: buffer) {
                let packet = channel.connection.data(byteCount: byteCount)
                schedule(channel)
                try packet.write(to: buffer)
                return PacketHeader.byteCount + byteCount
            }
            schedule(channel)
        }
        guard let reset = resets.popFirst() else { return nil }
        try reset.write(to: buffer)
        return PacketHeader.byteCount
    }

    /// Reads the host's bytes straight to where the guest wants them.
    private func receive(from channel: Channel, into buffer: [GuestSlice]) -> Int? {
        guard channel.isReadable, channel.connection.takesHostData, let stream = channel.stream else { return nil }
        let room = buffer.part(from: PacketHeader.byteCount, byteCount: channel.connection.credit)
        do {
            let count = try stream.receive(into: room)
            if count == 0 {
                channel.isReadable = false
                channel.connection.hostEnds(channel.isHungUp ? .both : .sending)
                return nil
            }
            // Less than asked for means that no more is there, epoll(7), except for the end of the stream where that
            // was reported.
            if count < room.byteCount, !channel.isEnding { channel.isReadable = false }
            return count
        } catch  where error == .wouldBlock {
            channel.isReadable = false
        } catch {
            reset(channel)
        }
        return nil
    }

    // MARK: Time

    /// When ``passTime(now:)`` is due next, if ever.
    public var nextDeadline: Duration? { earliest }

    /// Does what was to be done by `now`.
    public func passTime(now: Duration) {
        guard let first = earliest, first <= now else { return }
        earliest = nil
        for token in timed {
            guard let channel = byToken[token], let deadline = channel.deadline else { continue }
            if deadline > now {
                earliest = min(earliest ?? deadline, deadline)
            } else if channel.connection.phase == .dialing {
                dial(channel, now)
            } else {
                reset(channel)
            }
        }
    }

    private func setDeadline(_ deadline: Duration?, of channel: Channel) {
        channel.deadline = deadline
        if let deadline {
            timed.insert(channel.token)
            earliest = min(earliest ?? deadline, deadline)
        } else {
            timed.remove(channel.token)
        }
    }

    // MARK: The table

    private func schedule(_ channel: Channel) {
        guard !channel.isQueued, !channel.isDetached, byToken[channel.token] === channel else { return }
        if channel.isReadable { channel.connection.wantCredit() }
        guard channel.hasSomethingForGuest else { return }
        channel.isQueued = true
        ready.append(channel)
    }

    /// Breaks the connection off, telling the guest; bytes on their way are lost.
    private func reset(_ channel: Channel) {
        resets.append(channel.connection.reset)
        remove(channel)
    }

    /// The guest is done with it: its ports are free, what it sent is still handed on.
    private func detach(_ channel: Channel) {
        channel.flush()
        guard !channel.backlog.isEmpty else { return remove(channel) }
        channel.isDetached = true
        setDeadline(nil, of: channel)
        byPorts[Ports(guest: channel.connection.guestPort, host: channel.connection.hostPort)] = nil
    }

    private func remove(_ channel: Channel) {
        setDeadline(nil, of: channel)
        if !channel.isDetached {
            byPorts[Ports(guest: channel.connection.guestPort, host: channel.connection.hostPort)] = nil
        }
        byToken[channel.token] = nil
        channel.stream = nil
        channel.backlog.removeAll()
    }
}

/// First in, first out, in constant time.
struct Queue<Element> {
    private var elements: [Element?] = []
    private var start = 0

    var isEmpty: Bool { start == elements.count }
    var count: Int { elements.count - start }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard start < elements.count else { return nil }
        let element = elements[start]
        elements[start] = nil
        start += 1
        if start == elements.count {
            elements.removeAll(keepingCapacity: elements.count <= 1024)
            start = 0
        } else if start >= 1024, start * 2 >= elements.count {
            elements.removeFirst(start)
            start = 0
        }
        return element
    }
}
