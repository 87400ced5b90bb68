// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing
import Virtio
import Vsock
import VsockDriver

@Suite("Hostile guests and host peers", .serialized)
struct HostileTests {
    /// Whether the device still serves: a host peer gets through to the guest.
    private func stillServes(_ side: HostSide) throws -> Bool {
        let client = try side.client(port: 500)
        return try side.guest.run {
            client.read()
            return client.text.hasPrefix("OK ")
        }
    }

    /// A one-descriptor chain of `byteCount` bytes at the slot `index`, holding `packet`.
    private func sendRaw(_ side: HostSide, _ packet: PacketHeader, byteCount: UInt32, index: UInt16 = 100) throws {
        let driver = side.guest.driver
        let address: UInt64 = 7 << 20
        try packet.write(to: [try driver.memory.slice(at: .init(rawValue: address), byteCount: 44)])
        try driver.transmitQueue.describe(index, address: address, byteCount: byteCount, flags: 0)
        try driver.transmitQueue.offer(index)
        driver.transmitQueue.kick.signal()
    }

    @Test("Chains too short for a header are dropped", arguments: [0, 1, 43] as [UInt32])
    func short(_ byteCount: UInt32) throws {
        let side = try HostSide()
        try sendRaw(side, VsockDriver.packet(.request, from: 7, to: 1024), byteCount: byteCount)
        #expect(try stillServes(side))
        #expect(side.failures.all.isEmpty)
    }

    @Test("A payload longer than its chain resets the connection")
    func aPayloadLongerThanItsChain() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        var packet = socket.packet(.readWrite)
        packet.payloadCount = 1000
        try sendRaw(side, packet, byteCount: 44 + 999)
        #expect(try side.guest.run { socket.isReset })
        peer.read()
        #expect(peer.received.isEmpty)
        #expect(try stillServes(side))
    }

    @Test("A malformed chain breaks the device until it is reset")
    func brokenChains() throws {
        for (address, byteCount, flags, next) in [
            (9 << 20, 44, 0, 0), (UInt64.max - 10, 44, 0, 0), (7 << 20, 44, 1, 100), (7 << 20, 44, 1, 999),
            (7 << 20, .max, 0, 0), (7 << 20, 44, 4, 0),
        ] as [(UInt64, UInt32, UInt16, UInt16)] {
            let side = try HostSide()
            let (_, peer) = try side.connected()
            let driver = side.guest.driver
            try driver.transmitQueue.describe(100, address: address, byteCount: byteCount, flags: flags, next: next)
            try driver.transmitQueue.offer(100)
            driver.transmitQueue.kick.signal()
            #expect(try side.guest.run { !side.failures.all.isEmpty })
            side.device.reset()
            peer.read()
            #expect(peer.isEnded)
            // A new driver finds it whole.
            try side.device.activate(try VsockDriver().activation())
        }
    }

    @Test("A receive buffer without room for data breaks the device")
    func aReceiveBufferWithoutRoom() throws {
        let side = try HostSide(fillsBuffers: false)
        let queue = side.guest.driver.receiveQueue
        try queue.describe(0, address: 7 << 20, byteCount: 44, flags: 2)
        try queue.offer(0)
        _ = try side.client(port: 500)
        #expect(try side.guest.run { side.failures.all == [.chainTooShort(head: 0)] })
    }

    @Test("Connections beyond the limit are reset until others end")
    func aFloodOfConnections() throws {
        var limits = VsockLimits()
        limits.connections = 50
        let side = try HostSide(limits: limits)
        let listener = try side.listen(port: 1024, backlog: 1000)
        let sockets = try (0..<500).map { _ in try side.guest.connect(to: 1024) }
        #expect(try side.guest.run { sockets.allSatisfy { $0.isConnected || $0.isReset } })
        #expect(sockets.filter(\.isConnected).count == 50)
        // Room again, connections again.
        for socket in sockets where socket.isConnected { try socket.shutdown(.both) }
        #expect(try side.guest.run { sockets.allSatisfy(\.isReset) })
        let late = try side.guest.connect(to: 1024)
        #expect(try side.guest.run { late.isConnected })
        _ = listener.borrowed
    }

    @Test("Random packets do not break the device")
    func aFloodOfNonsense() throws {
        let side = try HostSide()
        var state: UInt32 = 7
        func random(_ limit: UInt32) -> UInt32 {
            state = state &* 1_664_525 &+ 1_013_904_223
            return (state >> 8) % limit
        }
        for _ in 0..<5000 {
            var packet = VsockDriver.packet(
                Operation(rawValue: UInt16(random(9))), from: random(5), to: 1024 + random(3), window: random(1 << 24),
                forwarded: random(1 << 24), payloadCount: Int(random(2000)), flags: random(8))
            if random(10) == 0 { packet.type = UInt16(random(4)) }
            if random(10) == 0 { packet.sourceCID = UInt64(random(50)) }
            if random(10) == 0 { packet.destinationCID = UInt64(random(5)) }
            while try !side.guest.driver.send(packet, [UInt8](repeating: 0, count: 1000)[...]) {
                try side.guest.process(milliseconds: 10)
            }
        }
        #expect(try stillServes(side))
        #expect(side.failures.all.isEmpty)
    }

    @Test(
        "A peer that sends no valid CONNECT line is disconnected",
        arguments: ["hello\n", "CONNECT x\n", "CONNECT 4294967296\n", String(repeating: "A", count: 100), "\n"])
    func badLines(_ line: String) throws {
        let side = try HostSide()
        let peer = HostSocket(try UnixSocket.connect(to: side.path + "/listen", nonBlocking: true))
        _ = try peer.write(Array(line.utf8)[...])
        #expect(
            try side.guest.run {
                peer.read()
                return peer.isEnded
            })
        #expect(peer.received.isEmpty)
        #expect(try stillServes(side))
    }

    @Test("A CONNECT line may arrive in pieces")
    func aLineInPieces() throws {
        let side = try HostSide()
        let peer = HostSocket(try UnixSocket.connect(to: side.path + "/listen", nonBlocking: true))
        for piece in ["CON", "NECT 5", "00", "\n"] {
            _ = try peer.write(Array(piece.utf8)[...])
            try side.guest.process(milliseconds: 5)
        }
        #expect(
            try side.guest.run {
                peer.read()
                return peer.text.hasPrefix("OK ")
            })
    }

    @Test("Silent peers are disconnected and delay others only until then")
    func peersThatSayNothing() throws {
        let side = try HostSide()
        var idle: [HostSocket] = []
        for _ in 0..<100 {
            idle.append(HostSocket(try UnixSocket.connect(to: side.path + "/listen", nonBlocking: false)))
        }
        for peer in idle { try peer.descriptor.setNonBlocking(true) }
        let clock = ContinuousClock()
        let start = clock.now
        // They keep others out for their two seconds and no longer.
        #expect(try stillServes(side))
        #expect(
            try side.guest.run {
                for peer in idle where !peer.isEnded { peer.read() }
                return idle.allSatisfy(\.isEnded)
            })
        #expect(start.duration(to: clock.now) < .seconds(10))
    }

    @Test("Peers that leave within their CONNECT line do no harm")
    func aPeerThatLeavesInTheMiddleOfItsLine() throws {
        let side = try HostSide()
        for _ in 0..<200 {
            let peer = HostSocket(try UnixSocket.connect(to: side.path + "/listen"))
            _ = try peer.write(Array("CONNE".utf8)[...])
        }
        #expect(try stillServes(side))
    }
}
