// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing
import Virtio
import Vsock
import VsockDriver

@Suite("The device, with unix sockets and a driver", .serialized)
struct DeviceTests {
    @Test("The device offers its queues, its features and the guest's context id")
    func whatItSaysOfItself() throws {
        let side = try HostSide(starts: false)
        #expect(side.device.type == .vsock)
        #expect(side.device.features == 1)
        #expect(side.device.queueSizes.count == 3)
        #expect(side.device.configuration == [42, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("A host connects to the guest, and bytes pass in both directions")
    func theHostConnects() throws {
        let side = try HostSide()
        let client = try side.client(port: 500)
        #expect(try client.write(Array("early".utf8)[...]) == 5)
        var accepted: GuestSocket?
        side.guest.onAccept = { accepted = $0 }
        #expect(try side.guest.run { accepted?.received.count == 5 })
        let socket = try #require(accepted)
        #expect(socket.guestPort == 500)
        #expect(socket.hostPort >= 1 << 30)
        #expect(try socket.write(Array("answer".utf8)[...]) == 6)
        let expected = "OK \(socket.hostPort)\nanswer"
        #expect(
            try side.guest.run {
                client.read()
                return client.received.count >= expected.utf8.count
            })
        #expect(client.text == expected)
        let metrics = side.device.metrics
        #expect(metrics.contains(Metric("bytes_from_guest", 6)) && metrics.contains(Metric("bytes_to_guest", 5)))
        #expect(metrics.contains(Metric("connections", 1)))
        side.device.reset()
        #expect(side.device.metrics.contains(Metric("connections", 0)))
    }

    @Test("A connection that the guest refuses ends without a byte")
    func theGuestRefuses() throws {
        let side = try HostSide()
        side.guest.accepts = { _ in false }
        let client = try side.client(port: 500)
        #expect(
            try side.guest.run {
                client.read()
                return client.isEnded
            })
        #expect(client.received.isEmpty)
    }

    @Test("A guest's connection to a port without a listener is reset")
    func nobodyListensOnTheHost() throws {
        let side = try HostSide()
        let socket = try side.guest.connect(to: 4711)
        #expect(try side.guest.run { socket.isReset })
        // A file that is no socket, and a listener that is gone.
        do { _ = try side.listen(port: 4712) }
        _ = try FileDescriptor.open(side.path + "/vsock_4713", [.create, .readWrite], mode: 0o600)
        for port: UInt32 in [4712, 4713] {
            let socket = try side.guest.connect(to: port)
            #expect(try side.guest.run { socket.isReset })
        }
    }

    @Test("Peers that connect before the driver is ready are served afterwards")
    func peersBeforeTheDriver() throws {
        let side = try HostSide(starts: false)
        let client = try side.client(port: 500)
        try side.activate(side.guest)
        #expect(
            try side.guest.run {
                client.read()
                return client.text.hasPrefix("OK ")
            })
    }

    @Test("The guest may end its direction first, and the host's goes on")
    func halvesEndOneByOne() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        // Guest first.
        #expect(try socket.write([1, 2, 3]) == 3)
        try socket.shutdown(.sending)
        #expect(
            try side.guest.run {
                peer.read()
                return peer.isEnded
            })
        #expect(peer.received == [1, 2, 3])
        #expect(peer.failure == nil)
        #expect(try peer.write([4, 5]) == 2)
        #expect(try side.guest.run { socket.received == [4, 5] })
        #expect(socket.hostEnded == [])
        // Then the host.
        try UnixSocket.shutdownWriting(peer.descriptor.borrowed)
        #expect(try side.guest.run { socket.isReset })
    }

    @Test("The host may end its direction first, and the guest's goes on")
    func theHostHalfFirst() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        #expect(try peer.write([4, 5]) == 2)
        try UnixSocket.shutdownWriting(peer.descriptor.borrowed)
        #expect(try side.guest.run { socket.hostEnded == .sending })
        #expect(socket.received == [4, 5])
        #expect(try socket.write([1, 2, 3]) == 3)
        #expect(
            try side.guest.run {
                peer.read()
                return peer.received.count == 3
            })
        #expect(!peer.isEnded)
        try socket.shutdown(.both)
        #expect(
            try side.guest.run {
                peer.read()
                return peer.isEnded && socket.isReset
            })
    }

    @Test("A guest that stops reading gives the host EPIPE, and can still send")
    func theGuestReadsNoMore() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        try socket.shutdown(.receiving)
        #expect(
            try side.guest.run {
                do { _ = try peer.write([1]) } catch { return error as? Errno == .brokenPipe }
                return false
            })
        #expect(try socket.write([7]) == 1)
        #expect(
            try side.guest.run {
                peer.read()
                return peer.received == [7]
            })
    }

    @Test("A host that closes resets the guest's socket after its last bytes")
    func theHostCloses() throws {
        let side = try HostSide()
        let socket: GuestSocket
        do {
            let (one, peer) = try side.connected()
            socket = one
            #expect(try peer.write([4, 5]) == 2)
        }
        #expect(try side.guest.run { socket.isReset })
        #expect(socket.received == [4, 5], "bytes before the end")
    }

    @Test("Bytes sent before the guest closes all reach a slow host")
    func aBigPieceAndThenTheEnd() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        let pattern = Pattern(seed: 3)
        let total = 500_000
        var written = 0
        // More than the host's socket holds: the device keeps the rest, the guest has left long ago.
        while written < 300_000 {
            written += try socket.write(pattern.bytes(at: written, limit: 300_000 - written))
            try side.guest.process(milliseconds: 5)
        }
        try socket.shutdown(.both)
        #expect(try side.guest.run { socket.isReset })
        #expect(
            try side.guest.run {
                peer.read(limit: 10_000)
                return peer.isEnded
            })
        #expect(peer.received.count == written)
        #expect(written <= total && pattern.matches(peer.received, at: 0))
        #expect(peer.failure == nil)
    }

    @Test("A thousand connections, made from both sides, each carry their own bytes")
    func aThousandConnections() throws {
        let side = try HostSide()
        let count = 1000
        let listener = try side.listen(port: 1024)
        var sockets: [GuestSocket] = []
        var peers: [HostSocket] = []
        var clients: [HostSocket] = []
        var accepted: [GuestSocket] = []
        side.guest.onAccept = { accepted.append($0) }
        for index in 0..<count / 2 {
            sockets.append(try side.guest.connect(to: 1024))
            clients.append(try side.client(port: UInt32(10_000 + index)))
            try side.guest.process()
            while let peer = try side.accept(listener) { peers.append(peer) }
        }
        #expect(
            try side.guest.run {
                while let peer = try side.accept(listener) { peers.append(peer) }
                return peers.count == count / 2 && accepted.count == count / 2 && sockets.allSatisfy(\.isConnected)
            })
        // Each guest socket says its port; each host peer says it back.
        for socket in sockets + accepted { #expect(try socket.write(Array("\(socket.guestPort)\n".utf8)[...]) > 0) }
        var answered: Set<Int> = []
        #expect(
            try side.guest.run(seconds: 60) {
                for (index, peer) in (peers + clients).enumerated() where !answered.contains(index) {
                    peer.read()
                    let said = peer.text.split(separator: "\n", omittingEmptySubsequences: true)
                    let isClient = index >= count / 2
                    guard peer.text.hasSuffix("\n"), said.count == (isClient ? 2 : 1), let port = said.last else {
                        continue
                    }
                    answered.insert(index)
                    _ = try peer.write(Array(port.utf8)[...])
                }
                return (sockets + accepted).allSatisfy { $0.received.count == 4 || $0.received.count == 5 }
                    && answered.count == count
            })
        for socket in sockets + accepted {
            #expect(String(decoding: socket.received, as: UTF8.self) == "\(socket.guestPort)")
        }
        for socket in sockets { try socket.shutdown(.both) }
        clients = []
        #expect(try side.guest.run(seconds: 60) { (sockets + accepted).allSatisfy(\.isReset) })
    }

    @Test("No byte is lost or reordered over 100 MB in both directions at once")
    func volume() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        let total = 100 << 20
        let toHost = Pattern(seed: 1)
        let toGuest = Pattern(seed: 2)
        var sentByGuest = 0
        var sentByHost = 0
        var readByHost = 0
        var readByGuest = 0
        var isRight = true
        socket.sink = {
            if !toGuest.matches($0.bytes(), at: readByGuest) { isRight = false }
            readByGuest += $0.count
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(120)
        while readByHost < total || readByGuest < total, isRight, clock.now < end {
            if sentByHost < total {
                sentByHost += try peer.write(toGuest.bytes(at: sentByHost, limit: total - sentByHost))
            }
            if sentByGuest < total {
                sentByGuest += try socket.write(toHost.bytes(at: sentByGuest, limit: total - sentByGuest))
            }
            try side.guest.process()
            peer.read {
                if !toHost.matches($0, at: readByHost) { isRight = false }
                readByHost += $0.count
            }
        }
        #expect(isRight)
        #expect(readByHost == total)
        #expect(readByGuest == total)
        #expect(!socket.isReset)
    }

    @Test("A host that stalls holds the guest back by its credit")
    func aHostThatStallsHoldsTheGuest() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        let pattern = Pattern(seed: 9)
        var sent = 0
        for _ in 0..<200 {
            sent += try socket.write(pattern.bytes(at: sent))
            try side.guest.process(milliseconds: 1)
        }
        #expect(socket.credit == 0, "the guest was given more than was taken")
        #expect(sent < 4 << 20)
        #expect(
            try side.guest.run {
                peer.read()
                return peer.received.count == sent && socket.credit > 0
            })
        #expect(pattern.matches(peer.received, at: 0))
    }

    @Test("A guest that stalls holds back its host peer and no other")
    func aGuestThatStallsHoldsTheHost() throws {
        let side = try HostSide()
        let (socket, peer) = try side.connected()
        let (other, otherPeer) = try side.connected(port: 1025)
        socket.reads = false
        let pattern = Pattern(seed: 9)
        var sent = 0
        for _ in 0..<300 {
            sent += try peer.write(pattern.bytes(at: sent))
            try side.guest.process(milliseconds: 1)
        }
        #expect(try peer.write(pattern.bytes(at: sent)) == 0, "the host may write without end")
        #expect(socket.receivedCount <= socket.window)
        // The others are not held up.
        #expect(try otherPeer.write([1]) == 1)
        #expect(try side.guest.run { other.received == [1] })
        try socket.resume()
        #expect(try side.guest.run { socket.received.count == sent })
        #expect(pattern.matches(socket.received, at: 0))
    }

    @Test("Packets wait until the guest posts receive buffers")
    func aGuestWithoutBuffers() throws {
        let side = try HostSide(fillsBuffers: false)
        let client = try side.client(port: 500)
        try side.guest.process(milliseconds: 50)
        #expect(client.received.isEmpty)
        try side.guest.driver.fillBuffers()
        #expect(
            try side.guest.run {
                client.read()
                return client.text.hasPrefix("OK ")
            })
    }

    @Test("A reset ends every connection, and a new driver is served")
    func resetLetsEverythingGo() throws {
        let side = try HostSide()
        let (_, peer) = try side.connected()
        side.device.reset()
        side.device.reset()
        peer.read()
        #expect(peer.isEnded)
        // And once more with a new driver.
        let second = GuestSockets(driver: try VsockDriver())
        try side.activate(second)
        let client = try side.client(port: 500)
        #expect(
            try second.run {
                client.read()
                return client.text.hasPrefix("OK ")
            })
        #expect(side.failures.all.isEmpty)
    }

    @Test("Activation needs the receive and transmit queues")
    func queuesLeftOut() throws {
        let side = try HostSide(starts: false)
        let driver = side.guest.driver
        #expect(throws: VirtioError.queueMissing(1)) {
            try side.device.activate(
                VirtioActivation(
                    memory: driver.memory, features: 1, queues: [try driver.receiveQueue.deviceQueue(), nil]))
        }
        #expect(throws: VirtioError.queueMissing(0)) {
            try side.device.activate(VirtioActivation(memory: driver.memory, features: 1, queues: []))
        }
    }
}
