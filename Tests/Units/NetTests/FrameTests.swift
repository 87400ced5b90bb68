// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Glibc
import GuestMemory
import Linux
import Net
import Synchronization
import TestSupport
import Testing
import Virtio

/// Frames, buffers and limits, with a socket for a tap.
@Suite struct FrameTests {
    @Test("A network device offers its queues, address, MTU and features")
    func whatItSaysOfItself() throws {
        let driver = try NetDriver(Peer().tap, mtu: 1400)
        #expect(driver.device.type == .network)
        #expect(driver.device.queueSizes == [256, 256])
        #expect(driver.device.configuration == NetDriver.address + [1, 0, 1, 0, 0x78, 0x05])
        // A socket can leave nothing to the driver; the driver may still leave things to its peer.
        #expect(driver.device.features == NetDriver.bits(0, 3, 5, 11, 12, 13, 15, 16))
        let plain = try NetDriver(Peer().tap)
        #expect(plain.device.features & 1 << 3 == 0)
    }

    @Test("Malformed addresses and MTUs out of range are refused")
    func refusesWhatIsNoAddress() throws {
        let served = try ServedLoop(starts: false)
        let wrong: [[UInt8]] = [
            [], [2, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0x01, 0, 0x5e, 0, 0, 1], [UInt8](repeating: 0xff, count: 6),
            [2, 0, 0, 0, 0, 1, 0],
        ]
        for address in wrong {
            #expect(throws: NetError.address(address)) {
                _ = try NetDevice(tap: try Peer().tap, address: address, loop: served.loop)
            }
        }
        for mtu in [-1, 0, 67, 65536] {
            #expect(throws: NetError.mtu(mtu)) {
                _ = try NetDevice(tap: try Peer().tap, address: NetDriver.address, mtu: mtu, loop: served.loop)
            }
        }
        _ = served.end()
    }

    @Test("A descriptor that is neither a tap nor a packet socket is refused")
    func refusesWhatIsNoTap() throws {
        #expect {
            _ = try Tap(try FileDescriptor.memory(named: "tap"))
        } throws: { error in
            guard case NetError.notATap = error else { return false }
            return true
        }
        #expect(throws: NetError.tap(operation: "getsockopt", .notSupported)) {
            _ = try Tap(packetSocket: try FileDescriptor.memory(named: "tap"))
        }
        #expect(throws: NetError.tap(operation: "getsockopt", .invalidArgument)) {
            _ = try Tap(packetSocket: try UnixSocket.pair().first.duplicate())
        }
    }

    @Test("Frames pass unchanged in both directions and are counted")
    func framesGoBothWays() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        try driver.post(8, 1600)
        for count in [14, 60, 1514] {
            try driver.send(Peer.frame(count))
            #expect(try peer.receive().frame == Peer.frame(count))
            try peer.send(Peer.frame(count, from: 99))
            let (header, frame) = try driver.nextFrame()
            #expect(frame == Peer.frame(count, from: 99))
            #expect(header[10] == 1 && header[11] == 0)
        }
        #expect(driver.metric("sent_frames") == 3)
        #expect(driver.metric("sent_bytes") == 1588)
        #expect(driver.metric("received_frames") == 3)
        #expect(driver.metric("received_bytes") == 1588)
        #expect(driver.metric("sent_drops") == 0)
    }

    @Test("A sent header passes unchanged; a received one loses flags that were not negotiated")
    func headersGoAsTheyAre() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        let header: [UInt8] = [1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0]
        try driver.send(Peer.frame(3000), header: header)
        #expect(try peer.receive().header == header)
        // Checksums were not agreed on: no flag says that one is missing or right.
        try driver.post(1, 4096)
        try peer.send(Peer.frame(64), header: [2] + header.dropFirst())
        #expect(try driver.nextFrame().header[0] == 0)
    }

    @Test("A frame may be split over the buffers of a chain at any byte")
    func anyCutOfABuffer() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        let frame = Peer.frame(500)
        try driver.transmit.add(
            readable: [
                [UInt8](repeating: 0, count: 5), [UInt8](repeating: 0, count: 7) + frame[0..<1],
                Array(frame[1..<499]), [frame[499]],
            ], indirect: true)
        try driver.transmit.notify()
        #expect(try peer.receive().frame == frame)
        _ = try driver.transmit.waitUsed()
        try driver.receive.add(writable: [3, 8, 1, 200, 1000], indirect: true)
        try driver.receive.notify()
        try peer.send(frame)
        let (header, bytes) = try driver.nextFrame()
        #expect(bytes == frame)
        #expect(header[10] == 1 && header[11] == 0)
    }

    @Test("A received frame longer than a buffer spans as many as it needs")
    func aLongFrameSpansBuffers() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        try driver.post(64, 1536)
        for count in [65536, 1524, 1525, 20000] {
            try peer.send(Peer.frame(count))
            let (header, frame) = try driver.nextFrame()
            #expect(frame == Peer.frame(count))
            let buffers = (count + 12 + 1535) / 1536
            #expect(header[10...] == [UInt8(buffers), 0])
            try driver.post(buffers, 1536)
        }
        #expect(driver.metric("received_drops") == 0)
    }

    @Test("A received frame waits until the driver posts enough buffers")
    func aFrameWaitsForTheBuffersItLacks() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        try driver.post(2, 1536)
        try peer.send(Peer.frame(10000))
        try peer.send(Peer.frame(60))
        #expect(throws: MockQueue.TimedOut.self) { _ = try driver.nextFrame(milliseconds: 50) }
        try driver.post(2, 1536)
        #expect(throws: MockQueue.TimedOut.self) { _ = try driver.nextFrame(milliseconds: 50) }
        try driver.post(10, 1536)
        #expect(try driver.nextFrame().frame == Peer.frame(10000))
        #expect(try driver.nextFrame().frame == Peer.frame(60))
        #expect(driver.metric("received_drops") == 0)
    }

    @Test("A frame longer than a full receive queue is dropped")
    func aFrameLongerThanAllBuffersIsLost() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap, queueSize: 8)
        try driver.post(8, 512)
        try peer.send(Peer.frame(10000))
        try peer.send(Peer.frame(60))
        #expect(try driver.nextFrame().frame == Peer.frame(60))
        #expect(driver.metric("received_drops") == 1)
    }

    @Test("Without mergeable buffers a frame longer than one buffer is dropped")
    func withoutMergingOneBufferMustDo() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap, features: NetDriver.all & ~(1 << 15))
        try driver.post(4, 1526)
        try peer.send(Peer.frame(1515))
        try peer.send(Peer.frame(1514))
        let (header, frame) = try driver.nextFrame()
        #expect(frame == Peer.frame(1514))
        #expect(header[10] == 1 && header[11] == 0)
        #expect(driver.metric("received_drops") == 1)
    }

    @Test("Thousands of frames arrive in order, and none is dropped")
    func manyFrames() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        try driver.post(256, 256)
        var sent = 0
        var seen = 0
        while seen < 3000 {
            while sent < 3000, sent - seen < 200 {
                do {
                    try peer.send(Peer.frame(60 + sent % 100, from: UInt8(truncatingIfNeeded: sent)))
                    sent += 1
                } catch let error as Errno where error == .wouldBlock { break }
            }
            let frame = try driver.nextFrame().frame
            #expect(frame == Peer.frame(60 + seen % 100, from: UInt8(truncatingIfNeeded: seen)))
            seen += 1
            try driver.post(1, 256)
        }
        #expect(driver.metric("received_drops") == 0)
        for index in 0..<1000 {
            try driver.transmit.add(readable: [
                [UInt8](repeating: 0, count: 12) + Peer.frame(100, from: UInt8(index % 256))
            ])
            if index % 64 == 63 || index == 999 {
                try driver.transmit.notify()
                for past in (index / 64 * 64)...index {
                    #expect(try peer.receive().frame == Peer.frame(100, from: UInt8(past % 256)))
                }
                for _ in (index / 64 * 64)...index { _ = try driver.transmit.waitUsed() }
            }
        }
        #expect(driver.metric("sent_frames") == 1000)
    }

    @Test("Malformed frames are dropped, and the next valid one passes")
    func malformedFramesAreDropped() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        // No header, half of one, no Ethernet header, and more than any frame.
        for count in [1, 11, 12, 13, 25, 12 + 65594, 200_000] {
            try driver.transmit.add(readable: [[UInt8](repeating: 0, count: count)])
            try driver.transmit.notify()
            _ = try driver.transmit.waitUsed()
        }
        try driver.transmit.add(writable: [64])
        try driver.transmit.notify()
        _ = try driver.transmit.waitUsed()
        #expect(driver.metric("sent_drops") == 8)
        try driver.send(Peer.frame(60))
        #expect(try peer.receive().frame == Peer.frame(60))
        // And from outside.
        try driver.post(1, 1600)
        _ = try peer.socket.write([1, 2, 3], 0..<3)
        try peer.send(Peer.frame(60))
        #expect(try driver.nextFrame().frame == Peer.frame(60))
        #expect(driver.metric("received_drops") == 1)
    }

    @Test("A receive buffer without room for the header breaks the device", arguments: [[4], [11], []])
    func aBufferWithoutRoomForTheHeaderBreaksTheDevice(room: [Int]) throws {
        let failure = Failure()
        let driver = try NetDriver(Peer().tap, failed: { error in failure.error.withLock { $0 = error } })
        let head =
            room.isEmpty ? try driver.receive.add(readable: [[1]]) : try driver.receive.add(writable: room)
        try driver.receive.notify()
        #expect(NetDriver.eventually { failure.error.withLock { $0 } != nil })
        #expect(failure.error.withLock { $0 } == .chainTooShort(head: head))
    }

    @Test("Frames wait while the tap is full, and none is dropped")
    func aFullTapIsWaitedFor() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        // More than the socket takes before its peer reads.
        let count = 200
        for index in 0..<count {
            try driver.transmit.add(
                readable: [[UInt8](repeating: 0, count: 12) + Peer.frame(9000, from: UInt8(index))])
        }
        try driver.transmit.notify()
        #expect(NetDriver.eventually { driver.metric("sent_waits") > 0 })
        for index in 0..<count { #expect(try peer.receive().frame == Peer.frame(9000, from: UInt8(index))) }
        for _ in 0..<count { _ = try driver.transmit.waitUsed() }
        #expect(driver.metric("sent_frames") == UInt64(count))
        #expect(driver.metric("sent_drops") == 0)
    }

    @Test("After a reset the device uses the driver's outstanding buffers again")
    func buffersComeBackWithReset() throws {
        let peer = try Peer()
        let driver = try NetDriver(peer.tap)
        try driver.post(40, 1536)
        try peer.send(Peer.frame(60))
        #expect(try driver.nextFrame().frame == Peer.frame(60))
        driver.device.reset()
        driver.device.reset()
        // The same rings again: the driver need not know.
        try driver.device.activate(
            VirtioActivation(
                memory: driver.memory.guest, features: driver.features,
                queues: [
                    driver.receive.deviceQueue(nextAvailable: 1), driver.transmit.deviceQueue(),
                ]))
        try peer.send(Peer.frame(20000))
        #expect(try driver.nextFrame().frame == Peer.frame(20000))
        try driver.send(Peer.frame(77))
        #expect(try peer.receive().frame == Peer.frame(77))
    }

    @Test("Activation needs both queues")
    func bothQueuesMustBeThere() throws {
        let served = try ServedLoop(starts: false)
        let device = try NetDevice(tap: try Peer().tap, address: NetDriver.address, loop: served.loop)
        let memory = try MockMemory()
        let queue = try MockQueue(memory, size: 256)
        #expect(throws: VirtioError.queueMissing(0)) {
            try device.activate(VirtioActivation(memory: memory.guest, features: 0, queues: []))
        }
        #expect(throws: VirtioError.queueMissing(1)) {
            try device.activate(
                VirtioActivation(memory: memory.guest, features: 0, queues: [queue.deviceQueue(), nil]))
        }
        _ = served.end()
    }

    @Test("Rate limits hold in each direction and can change while the device runs")
    func limitsHoldBothWaysAndChangeWhileItRuns() throws {
        let peer = try Peer()
        let slow = RateLimits(operations: RateLimit(size: 2, refill: .seconds(3600)))
        let driver = try NetDriver(peer.tap, receive: slow, transmit: slow)
        try driver.post(16, 1600)
        for index in 0..<5 {
            try peer.send(Peer.frame(60, from: UInt8(index)))
            try driver.transmit.add(readable: [[UInt8](repeating: 0, count: 12) + Peer.frame(60, from: UInt8(index))])
        }
        try driver.transmit.notify()
        for index in 0..<2 {
            #expect(try driver.nextFrame().frame == Peer.frame(60, from: UInt8(index)))
            #expect(try peer.receive().frame == Peer.frame(60, from: UInt8(index)))
        }
        #expect(throws: MockQueue.TimedOut.self) { _ = try driver.nextFrame(milliseconds: 50) }
        #expect(throws: Errno.timedOut) { _ = try peer.receive(milliseconds: 50) }
        #expect(driver.metric("received_limiter_stalls") >= 1)
        #expect(driver.metric("sent_limiter_stalls") >= 1)
        // Standing still costs nothing: no turn after turn.
        let stalls = driver.metric("sent_limiter_stalls")
        SystemTime.sleep(milliseconds: 50)
        #expect(driver.metric("sent_limiter_stalls") == stalls)
        driver.device.update(receive: .unlimited, transmit: slow)
        for index in 2..<5 { #expect(try driver.nextFrame().frame == Peer.frame(60, from: UInt8(index))) }
        #expect(throws: Errno.timedOut) { _ = try peer.receive(milliseconds: 50) }
        driver.device.update(receive: .unlimited, transmit: .unlimited)
        for index in 2..<5 { #expect(try peer.receive().frame == Peer.frame(60, from: UInt8(index))) }
    }

    @Test("A bandwidth limit holds frames to its rate")
    func bytesComeAtTheirRate() throws {
        let peer = try Peer()
        // 100,000 bytes a second; the first 10,000 at once.
        let limits = RateLimits(bandwidth: RateLimit(size: 10_000, refill: .milliseconds(100)))
        let driver = try NetDriver(peer.tap, transmit: limits)
        let start = ContinuousClock.now
        for _ in 0..<40 {
            try driver.transmit.add(readable: [[UInt8](repeating: 0, count: 12) + Peer.frame(1000)])
        }
        try driver.transmit.notify()
        for _ in 0..<40 { _ = try peer.receive() }
        let elapsed = start.duration(to: .now)
        #expect(elapsed >= .milliseconds(299), "40,000 bytes in \(elapsed)")
    }

    final class Failure: Sendable {
        let error = Mutex<VirtioError?>(nil)
    }
}
