// SPDX-License-Identifier: Apache-2.0
package import GuestMemory
package import Vsock

/// The sockets of a guest that keeps to the protocol as Linux does, over a ``VsockDriver``. Used by one thread.
package final class GuestSockets {
    package let driver: VsockDriver
    package private(set) var sockets: [UInt64: GuestSocket] = [:]
    /// Whether the guest takes connections, by port.
    package var accepts: (UInt32) -> Bool = { _ in true }
    /// Called with each connection taken.
    package var onAccept: (GuestSocket) -> Void = { _ in }
    private var lastPort: UInt32 = 1000
    private var outbox: [(PacketHeader, [UInt8])] = []

    package init(driver: VsockDriver) {
        self.driver = driver
    }

    static func key(_ guestPort: UInt32, _ hostPort: UInt32) -> UInt64 { UInt64(guestPort) << 32 | UInt64(hostPort) }

    package func connect(to hostPort: UInt32) throws -> GuestSocket {
        lastPort += 1
        let socket = GuestSocket(self, guestPort: lastPort, hostPort: hostPort)
        sockets[Self.key(lastPort, hostPort)] = socket
        try send(socket.packet(.request))
        return socket
    }

    /// Handles everything the device has sent, waiting at most `milliseconds` for something.
    package func process(milliseconds: Int32 = 0) throws {
        if milliseconds > 0 { try driver.wait(milliseconds: milliseconds) }
        try flush()
        while let answer = try driver.receive({ self.handle($0, $1) }) {
            if let answer { try send(answer) }
        }
    }

    /// Runs ``process(milliseconds:)`` until `condition` holds.
    ///
    /// - Returns: whether it came to hold within `seconds`.
    package func run(seconds: Int = 20, until condition: () throws -> Bool) throws -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while clock.now < end {
            try process()
            if try condition() { return true }
            try driver.wait(milliseconds: 2)
        }
        return false
    }

    func send(_ packet: PacketHeader, _ payload: ArraySlice<UInt8> = []) throws {
        // Never waits for room: a driver that does not look at what comes meanwhile stops the device for good.
        if try !outbox.isEmpty || !driver.send(packet, payload) { outbox.append((packet, Array(payload))) }
    }

    private func flush() throws {
        while let (packet, payload) = outbox.first, try driver.send(packet, payload[...]) { outbox.removeFirst() }
    }

    private func handle(_ packet: PacketHeader, _ payload: GuestSlice) -> PacketHeader? {
        let key = Self.key(packet.destinationPort, packet.sourcePort)
        if packet.operation == .request {
            let socket = GuestSocket(self, guestPort: packet.destinationPort, hostPort: packet.sourcePort)
            guard accepts(packet.destinationPort) else { return socket.packet(.reset) }
            socket.takeCredit(packet)
            socket.isConnected = true
            sockets[key] = socket
            onAccept(socket)
            return socket.packet(.response)
        }
        guard let socket = sockets[key] else { return nil }
        let answer = socket.handle(packet, payload)
        if socket.isReset { sockets[key] = nil }
        return answer
    }
}

/// One of them.
package final class GuestSocket {
    private unowned let owner: GuestSockets
    package let guestPort: UInt32
    package let hostPort: UInt32
    package var window: UInt32 = 262144
    package fileprivate(set) var isConnected = false
    package private(set) var isReset = false
    package private(set) var hostEnded: Shutdown = []
    package private(set) var received: [UInt8] = []
    /// Whether the guest's program reads as fast as bytes come.
    package var reads = true
    /// Set, the bytes are counted and handed here rather than kept.
    package var sink: ((GuestSlice) -> Void)?
    package private(set) var receivedCount: UInt32 = 0
    private var forwarded: UInt32 = 0
    private var forwardedTold: UInt32 = 0
    private var sent: UInt32 = 0
    private var hostWindow: UInt32 = 0
    private var hostForwarded: UInt32 = 0

    init(_ owner: GuestSockets, guestPort: UInt32, hostPort: UInt32) {
        self.owner = owner
        self.guestPort = guestPort
        self.hostPort = hostPort
    }

    package var credit: Int { Int(hostWindow) - Int(sent &- hostForwarded) }

    /// Sends as much as the device has room for.
    package func write(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let count = min(bytes.count, credit, VsockDriver.payloadLimit)
        guard count > 0 else { return 0 }
        var data = packet(.readWrite)
        data.payloadCount = UInt32(count)
        sent &+= UInt32(count)
        try owner.send(data, bytes.prefix(count))
        return count
    }

    package func shutdown(_ directions: Shutdown) throws {
        var packet = packet(.shutdown)
        packet.flags = directions.rawValue
        try owner.send(packet)
    }

    package func send(_ operation: Operation) throws { try owner.send(packet(operation)) }

    /// Reads on after `reads` was false.
    package func resume() throws {
        reads = true
        forwarded = receivedCount
        try owner.send(packet(.creditUpdate))
    }

    package func packet(_ operation: Operation) -> PacketHeader {
        forwardedTold = forwarded
        return VsockDriver.packet(operation, from: guestPort, to: hostPort, window: window, forwarded: forwarded)
    }

    func takeCredit(_ packet: PacketHeader) {
        hostWindow = packet.window
        hostForwarded = packet.forwarded
    }

    func handle(_ packet: PacketHeader, _ payload: GuestSlice) -> PacketHeader? {
        takeCredit(packet)
        switch packet.operation {
        case .response: isConnected = true
        case .reset: isReset = true
        case .readWrite:
            if let sink { sink(payload) } else { received += payload.bytes() }
            receivedCount &+= UInt32(payload.count)
            if reads { forwarded = receivedCount }
            if forwarded &- forwardedTold >= window / 4 { return self.packet(.creditUpdate) }
        case .shutdown:
            hostEnded.formUnion(Shutdown(rawValue: packet.flags))
            if hostEnded == .both {
                isReset = true
                return self.packet(.reset)
            }
        case .creditRequest: return self.packet(.creditUpdate)
        default: break
        }
        return nil
    }
}
