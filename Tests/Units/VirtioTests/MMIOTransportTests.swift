// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Synchronization
import TestSupport
import Testing
import Virtio

/// What was told of failures.
final class FailureLog: Sendable {
    private let list = Mutex<[VirtioError]>([])
    func note(_ error: VirtioError) { list.withLock { $0.append(error) } }
    var all: [VirtioError] { list.withLock { $0 } }
}

@Suite("A device behind virtio-mmio")
struct MMIOTransportTests {
    @Test("A device is brought up as Linux does it, used, reset and used again")
    func life() throws {
        let device = try EchoDevice(features: 1 << 3, queueSizes: [64, 16])
        let driver = try MMIODriver(device: device)
        #expect(driver.read(0x08) == VirtioDeviceType.vsock.rawValue)
        for round in 1...3 {
            try driver.start(features: MockDriver.usualFeatures | 1 << 3 | 1 << 4, queueSizes: [64, 8])
            #expect(driver.status == 15)
            #expect(device.seen.features == MockDriver.usualFeatures | 1 << 3)
            for index in 0..<2 { #expect(try driver.exchange(index, [1, 2, UInt8(round)]) == [1, 2, UInt8(round)]) }
            #expect(driver.takeInterrupt() == 1)
            #expect(driver.read(0x60) == 1, "edge-triggered: the reason stays while the device is active")
        }
        driver.status = 0
        #expect(driver.status == 0 && driver.read(0x60) == 0)
        let seen = device.seen
        #expect(seen.activations == [[0, 1], [0, 1], [0, 1]] && seen.resets == 3 && seen.failures.isEmpty)
    }

    @Test("A kick by an exit is as good as one by an ioeventfd")
    func notifyByExit() throws {
        let driver = try MMIODriver(device: try EchoDevice(queueSizes: [8, 8]))
        try driver.start(features: VirtioFeature.version1, queueSizes: [8, 8])
        try driver.queues[1].add(readable: [[9]], writable: [1])
        driver.write(UInt64(MMIOTransport.notifyOffset), 1)
        #expect(try driver.queues[1].waitUsed().bytes == [9])
        driver.write(0x50, 2)
        driver.write(0x50, .max)
        let metrics = driver.transport.metrics
        #expect(metrics.contains(Metric("notify_exits", 1)) && metrics.contains(Metric("refused_writes", 2)))
    }

    @Test("A queue the driver leaves out is nil; queues that are not there have no size")
    func someQueues() throws {
        let device = try EchoDevice(queueSizes: [8, 8, 8])
        let driver = try MMIODriver(device: device)
        try driver.negotiate()
        try driver.setUpQueue(1, size: 8)
        for index: UInt32 in [3, 4, .max] {
            driver.write(0x30, index)
            #expect(driver.read(0x34) == 0 && driver.read(0x44) == 0)
            driver.write(0x44, 1)
            #expect(driver.read(0x44) == 0)
        }
        driver.status |= 4
        #expect(device.seen.activations == [[1]])
    }

    @Test("Features not offered, or without version 1, are refused until the driver corrects them")
    func features() throws {
        let device = try EchoDevice(features: 1)
        let driver = try MMIODriver(device: device)
        #expect(throws: MMIODriver.Failure.features) { try driver.negotiate(1 | VirtioFeature.eventIndex) }
        #expect(driver.status == 3)
        for (low, high) in [(2, 1), (1, 3), (0, 0), (.max, .max)] as [(UInt32, UInt32)] {
            driver.write(0x24, 0)
            driver.write(0x20, low)
            driver.write(0x24, 1)
            driver.write(0x20, high)
            driver.status = 11
            #expect(driver.status == 3, "\(low) \(high)")
            // Nor does it become ready.
            driver.status = 15
            #expect(driver.status == 3)
        }
        driver.write(0x24, 0)
        driver.write(0x20, 1)
        driver.write(0x24, 1)
        driver.write(0x20, 1)
        driver.status = 11
        #expect(driver.status == 11)
        // Settled from here on.
        driver.write(0x20, 0)
        driver.status = 15
        #expect(device.seen.features == 1 | VirtioFeature.version1)
        // A selector beyond 64 bits selects nothing.
        driver.write(0x14, 2)
        #expect(driver.read(0x10) == 0)
    }

    @Test("What a driver rewrites after DRIVER_OK changes nothing")
    func rewrites() throws {
        let device = try EchoDevice(queueSizes: [64])
        let driver = try MMIODriver(device: device)
        try driver.start(queueSizes: [8])
        driver.write(0x30, 0)
        for (offset, value) in [
            (0x38, 32768), (0x38, 0), (0x80, 0), (0x84, .max), (0x90, .max), (0x94, 7), (0xa0, 1), (0xa4, .max),
            (0x44, 0), (0x44, 1), (0x20, .max), (0xc0, 1),
        ] as [(UInt64, UInt32)] {
            driver.write(offset, value)
        }
        #expect(driver.read(0x44) == 1)
        for round in 0..<20 { #expect(try driver.exchange(0, [UInt8(round)]) == [UInt8(round)]) }
        #expect(device.seen.activations.count == 1 && device.seen.failures.isEmpty)
        #expect(driver.transport.metrics.contains(Metric("refused_writes", 12)))
    }

    @Test("A queue's place is settled when it is ready, and may be taken back before DRIVER_OK")
    func readyAndBack() throws {
        let driver = try MMIODriver(device: try EchoDevice(queueSizes: [64]))
        try driver.negotiate()
        try driver.setUpQueue(0, size: 8)
        driver.write(0x38, 3)
        driver.write(0x44, 0)
        #expect(driver.read(0x44) == 0)
        let queue = try driver.setUpQueue(0, size: 16)
        driver.status |= 4
        try queue.add(readable: [[1]], writable: [1])
        try queue.notify()
        #expect(try queue.waitUsed().bytes == [1])
    }

    @Test(
        "An impossible queue sets DEVICE_NEEDS_RESET and interrupts, and a reset heals it",
        arguments: [
            (0x38, 0), (0x38, 3), (0x38, 128), (0x38, .max), (0x84, .max), (0x90, 0x4000_0001), (0xa0, 0x4000_0002),
            (0xa0, 0x40ff_ffff),
        ] as [(UInt64, UInt32)])
    func badQueues(offset: UInt64, value: UInt32) throws {
        let device = try EchoDevice(queueSizes: [64])
        let log = FailureLog()
        let driver = try MMIODriver(device: device, onFailure: log.note)
        try driver.negotiate()
        try driver.setUpQueue(0, size: 8)
        driver.write(0x44, 0)
        driver.write(offset, value)
        driver.write(0x44, 1)
        driver.status |= 4
        #expect(driver.status == 15 | 64)
        #expect(driver.takeInterrupt() == 3)
        #expect(driver.wasInterrupted())
        #expect(log.all.count == 1 && device.seen.activations.isEmpty)
        driver.status |= 4
        #expect(device.seen.activations.isEmpty)
        try driver.start(queueSizes: [8])
        #expect(try driver.exchange(0, [3]) == [3])
    }

    @Test("A device that breaks says so once, until it is reset")
    func breaks() throws {
        let device = try EchoDevice(queueSizes: [8])
        let log = FailureLog()
        let driver = try MMIODriver(device: device, onFailure: log.note)
        try driver.start(queueSizes: [8])
        _ = driver.wasInterrupted()
        device.fail(.queueMissing(7))
        device.fail(.queueMissing(8))
        #expect(driver.status == 15 | 64)
        #expect(driver.wasInterrupted())
        #expect(driver.takeInterrupt() & 2 == 2)
        #expect(driver.takeInterrupt() & 2 == 0)
        #expect(log.all == [.queueMissing(7)])
        driver.status = 0
        #expect(driver.status == 0)
        // What it says of its last life is not heard in the next.
        device.fail(.queueMissing(9))
        device.change(configuration: [1, 1, 1, 1, 1, 1, 1, 1])
        #expect(driver.status == 0 && driver.read(0x60) == 0 && log.all.count == 1)
        try driver.start(queueSizes: [8])
        #expect(driver.status == 15)
    }

    @Test("The configuration space takes any width and place inside it, and counts its changes")
    func configuration() throws {
        let device = try EchoDevice(queueSizes: [8], configuration: [1, 2, 3, 4, 5, 6, 7, 8, 9])
        let driver = try MMIODriver(device: device)
        let transport = driver.transport
        #expect(transport.read(0x100, width: 1) == 1)
        #expect(transport.read(0x101, width: 2) == 0x0302)
        #expect(transport.read(0x103, width: 4) == 0x0706_0504)
        #expect(transport.read(0x100, width: 8) == 0x0807_0605_0403_0201)
        #expect(transport.read(0x107, width: 4) == 0x0000_0908, "past the end are zeros")
        for (offset, width) in [(0x109, 4), (0x1000, 4), (0x10_0000_0100, 4), (.max, 8), (0x100, 0), (0x100, 9)]
            as [(UInt64, Int)]
        {
            #expect(transport.read(offset, width: width) == 0, "\(offset) \(width)")
        }
        #expect(driver.configuration(byteCount: 9) == [1, 2, 3, 4, 5, 6, 7, 8, 9])

        // Not before there is a driver, and only wholly inside.
        transport.write(0x100, width: 1, 0xff)
        try driver.start(queueSizes: [8])
        for (offset, width) in [(0x106, 4), (0x109, 1), (.max, 8), (0x100, 0), (0x100, 9)] as [(UInt64, Int)] {
            transport.write(offset, width: width, .max)
        }
        #expect(device.configuration == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        transport.write(0x102, width: 4, 0xaabb_ccdd)
        #expect(device.configuration == [1, 2, 0xdd, 0xcc, 0xbb, 0xaa, 7, 8, 9])
        #expect(transport.read(0x102, width: 4) == 0xaabb_ccdd)

        let generation = driver.read(0xfc)
        _ = driver.wasInterrupted()
        device.change(configuration: [9, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(driver.read(0xfc) != generation)
        #expect(driver.wasInterrupted() && driver.takeInterrupt() == 3 && driver.takeInterrupt() == 1)
        #expect(driver.configuration(byteCount: 9) == [9, 8, 7, 6, 5, 4, 3, 2, 1])
    }

    @Test("Unknown registers and wrong widths read as nothing and change nothing")
    func unknown() throws {
        let driver = try MMIODriver(device: try EchoDevice())
        for offset in stride(from: UInt64(0), to: 0x100, by: 1) {
            for width in [0, 1, 2, 8, -1, 3] { #expect(driver.transport.read(offset, width: width) == 0) }
            if offset % 4 != 0 { #expect(driver.transport.read(offset, width: 4) == 0) }
            driver.transport.write(offset, width: 8, .max)
            driver.transport.write(offset, width: 1, .max)
        }
        for offset: UInt64 in [0x0c, 0x18, 0x28, 0x3c, 0x40, 0x48, 0xc0, 0xf8] where offset != 0x0c {
            #expect(driver.read(offset) == 0)
            driver.write(offset, .max)
        }
        // No shared memory: all ones, whichever region.
        for region: UInt32 in [0, 1, .max] {
            driver.write(0xac, region)
            for offset: UInt64 in [0xb0, 0xb4, 0xb8, 0xbc] { #expect(driver.read(offset) == .max) }
        }
        #expect(driver.status == 0)
    }

    @Test(
        "Status steps out of order change nothing",
        arguments: [
            ([2], 0), ([4], 0), ([8], 0), ([1, 5], 1), ([1, 9], 1), ([1, 3, 7], 3), ([1, 3, 2], 3), ([1, 0x11], 1),
            ([1, 0x101], 1), ([1, 0x41], 1), ([0x80], 0x80), ([1, 3, 0x83], 0x83), ([0x80, 0x81], 0x80), ([3], 3),
            ([1, 1], 1), ([1, 3, 0], 0),
        ] as [([UInt32], UInt32)])
    func steps(written: [UInt32], status: UInt32) throws {
        let driver = try MMIODriver(device: try EchoDevice())
        for value in written { driver.status = value }
        #expect(driver.status == status)
    }

    @Test("When the machine has ended nothing starts again")
    func stop() throws {
        let device = try EchoDevice(queueSizes: [8])
        let driver = try MMIODriver(device: device)
        try driver.start(queueSizes: [8])
        driver.transport.stop()
        driver.transport.stop()
        #expect(device.seen.resets == 1 && driver.status == 0)
        #expect(throws: MMIODriver.Failure.features) { try driver.start(queueSizes: [8]) }
        driver.transport.write(0x100, width: 1, 1)
        #expect(device.seen.activations.count == 1 && device.configuration[0] == 3)
    }

    @Test("Processors that race on every register never leave the device active twice")
    func races() throws {
        let device = try EchoDevice(queueSizes: [8])
        let driver = try MMIODriver(device: device)
        let transport = driver.transport
        let racers = (0..<3).map { seed in Racer(transport, seed: UInt64(seed)) }
        for _ in 0..<200 { try? driver.start(queueSizes: [8]) }
        for racer in racers { racer.join() }
        driver.status = 0
        let seen = device.seen
        #expect(seen.activations.count == seen.resets)
        try driver.start(queueSizes: [8])
        #expect(try driver.exchange(0, [5]) == [5])
    }

    /// A processor that writes what it likes.
    private final class Racer {
        private var thread: Thread?
        init(_ transport: MMIOTransport, seed: UInt64) {
            thread = try? Thread(named: "racer") {
                var state = seed &+ 1
                for _ in 0..<20_000 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    let offset = (state >> 33) % 0x110 & ~3
                    if offset == 0x70 {
                        transport.write(0x70, width: 4, [0, 1, 3, 11, 15][Int(state >> 45) % 5])
                    } else {
                        transport.write(offset, width: 4, state >> 48)
                    }
                    _ = transport.read((state >> 40) % 0x110 & ~3, width: 4)
                }
            }
        }
        func join() { thread.take()?.join() }
    }
}
