// SPDX-License-Identifier: Apache-2.0
import Balloon
import GuestMemory
import Linux
import TestSupport
import Testing
import Virtio

@Suite("The balloon device, behind virtio-mmio")
struct BalloonTests {
    @Test("Inflating returns exactly the given pages to the host")
    func inflatingFreesTheHostsMemory() throws {
        let guest = try Guest()
        let buffer = try guest.pages(256)
        let before = try guest.residentByteCount()
        // As Linux gives them: one by one, in no order.
        let numbers = (0..<256).filter { $0 % 8 != 0 }.map { Guest.number(buffer, page: $0) }.shuffled()
        try guest.give(numbers)
        // Less what the queue took meanwhile.
        #expect(try before - guest.residentByteCount() > 216 * 4096)
        for page in 0..<256 { #expect(try guest.isHeld(buffer, page: page) == (page % 8 == 0)) }
        #expect(guest.metric("inflated_pages") == 224)
        #expect(guest.metric("refused_pages") == 0)
        #expect(guest.metric("failed_discards") == 0)
    }

    @Test("Deflated pages read as zeros and can be written again")
    func deflatingGivesPagesBack() throws {
        let guest = try Guest()
        let buffer = try guest.pages(4)
        let numbers = (0..<4).map { Guest.number(buffer, page: $0) }
        try guest.give(numbers)
        try guest.deflate.add(readable: [Guest.bytes(numbers)])
        try guest.deflate.notify()
        _ = try guest.deflate.waitUsed()
        #expect(guest.metric("deflated_pages") == 4)
        #expect(try buffer.slice.load(UInt64.self, at: 8) == 0)
        try buffer.slice.store(UInt64.max, at: 8)
        #expect(try guest.isHeld(buffer, page: 0))
    }

    @Test("A new target interrupts the driver, and the driver's actual size is read")
    func theTargetIsToldAndTheAnswerHeard() throws {
        let guest = try Guest()
        #expect(guest.driver.configuration(byteCount: 8) == [UInt8](repeating: 0, count: 8))
        guest.device.setTarget(byteCount: (3 << 20) + 4095)
        #expect(guest.driver.takeInterrupt() & 2 == 2)
        #expect(guest.driver.configuration(byteCount: 4) == [0, 3, 0, 0])
        #expect(guest.metric("target_bytes") == 3 << 20)
        // `actual`, as the driver writes it.
        guest.driver.write(0x104, 0x0000_0300)
        #expect(guest.driver.configuration(byteCount: 8) == [0, 3, 0, 0, 0, 3, 0, 0])
        #expect(guest.metric("actual_bytes") == 3 << 20)
        #expect(guest.device.actualByteCount == guest.device.targetByteCount)
        // The target is not the driver's.
        guest.driver.write(0x100, 0xffff_ffff)
        #expect(guest.device.targetByteCount == 3 << 20)
        guest.device.setTarget(byteCount: .max)
        #expect(guest.driver.configuration(byteCount: 4) == [255, 255, 255, 255])
    }

    @Test("A target set before the driver starts holds, and a reset clears the actual size")
    func aTargetThatWasSetBeforeTheDriverCame() throws {
        let served = try ServedLoop()
        let device = try BalloonDevice(loop: served.loop)
        device.setTarget(byteCount: 1 << 20)
        #expect(device.configuration == [0, 1, 0, 0, 0, 0, 0, 0])
        let driver = try MMIODriver(device: device)
        try driver.start(features: Guest.features, queueSizes: [128, 128])
        #expect(driver.configuration(byteCount: 8) == [0, 1, 0, 0, 0, 0, 0, 0])
        driver.write(0x104, 0x100)
        #expect(device.actualByteCount == 1 << 20)
        driver.write(0x70, 0)
        #expect(device.actualByteCount == 0, "a driver that begins anew has given nothing")
        #expect(device.targetByteCount == 1 << 20)
    }

    @Test("A target set during negotiation is announced at DRIVER_OK")
    func aTargetThatIsSetWhileTheDriverComesUp() throws {
        let served = try ServedLoop()
        let device = try BalloonDevice(loop: served.loop)
        let driver = try MMIODriver(device: device)
        try driver.negotiate(Guest.features)
        device.setTarget(byteCount: 1 << 20)
        for index in 0..<2 { try driver.setUpQueue(index, size: 16) }
        driver.status |= 4
        #expect(driver.takeInterrupt() & 2 == 2)
        #expect(driver.configuration(byteCount: 4) == [0, 1, 0, 0])
    }

    /// Linux numbers the queue of reports without a gap, the standard with one.
    @Test("Free page reports release whole pages, on queue 3 and on queue 4", arguments: [3, 4])
    func reportedPagesAreFreed(queue index: Int) throws {
        let guest = try Guest(queueSizes: index == 3 ? [128, 128, 16, 64] : [128, 128, 16, 64, 64])
        let queue = guest.driver.queues[index]
        let buffer = try guest.pages(64)
        let whole = try guest.memory.allocate(1024 * 1024, alignment: 4096)
        for page in 0..<256 { try whole.slice.store(UInt64.max, at: 4096 * page + 8) }
        let before = try guest.residentByteCount()
        // What is not a whole page is not given away: from the middle of one to the middle of another.
        try queue.describe(
            10, address: whole.address.rawValue, byteCount: UInt32(whole.byteCount), flags: 3, next: 11)
        try queue.describe(11, address: buffer.address.rawValue + 2048, byteCount: 62 * 4096, flags: 2)
        try queue.offer(10)
        try queue.notify()
        #expect(try queue.waitUsed().byteCount == 0)
        #expect(guest.metric("reported_bytes") == 1 << 20 + 61 * 4096)
        #expect(try before - guest.residentByteCount() > 1 << 20 + 53 * 4096)
        #expect(try guest.isHeld(buffer, page: 0) && guest.isHeld(buffer, page: 62))
        #expect(try !guest.isHeld(buffer, page: 1) && !guest.isHeld(buffer, page: 61))
    }

    @Test("Statistics arrive with the first buffer and again at each request")
    func statisticsAreToldWhenAsked() throws {
        let guest = try Guest()
        func answer(free: UInt64) throws {
            var bytes: [UInt8] = []
            // With a tag of tomorrow, and half an entry at the end.
            for (tag, value) in [(4, free), (5, 64 << 20), (99, 1), (2, 7)] as [(UInt16, UInt64)] {
                bytes += [UInt8(tag), 0] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            }
            try guest.statistics.add(readable: [Array(bytes[..<13]), Array(bytes[13...]) + [4, 0, 9]])
            try guest.statistics.notify()
        }
        func wait(free: UInt64) throws {
            for _ in 0..<500 where guest.device.statistics[.freeBytes] != free { SystemTime.sleep(milliseconds: 10) }
            #expect(guest.device.statistics[.freeBytes] == free)
        }
        // The first the driver gives unasked, §5.5.6.4; the device keeps the buffer.
        try answer(free: 1000)
        try wait(free: 1000)
        #expect(try guest.statistics.takeUsed() == nil)
        for round in 1...3 as ClosedRange<UInt64> {
            guest.device.requestStatistics()
            _ = try guest.statistics.waitUsed()
            try answer(free: 1000 + round)
            try wait(free: 1000 + round)
        }
        #expect(guest.device.statistics[.majorFaults] == 7)
        #expect(guest.device.statistics[.swappedInBytes] == nil)
        #expect(guest.metric("guest_total_bytes") == 64 << 20)
        #expect(guest.metric("guest_swapped_in_bytes") == nil)
    }

    @Test("A restart on the same rings loses and repeats no buffer")
    func aRestartOnTheSameRings() throws {
        let guest = try Guest()
        try guest.statistics.add(readable: [[5, 0, 1, 0, 0, 0, 0, 0, 0, 0]])
        try guest.statistics.notify()
        for _ in 0..<500 where guest.device.statistics[.totalBytes] == nil { SystemTime.sleep(milliseconds: 10) }
        // A reset, and up again where the rings stood: nothing was lost or used twice.
        guest.device.reset()
        let first = guest.inflate
        let second = guest.deflate
        let third = guest.statistics
        try guest.device.activate(
            VirtioActivation(
                memory: guest.memory.guest, features: Guest.features,
                queues: [first.deviceQueue(), second.deviceQueue(), third.deviceQueue()]))
        var used: MockQueue.Used?
        for _ in 0..<500 where used == nil {
            // Asked for before the device has its buffer, new figures are those that come with it.
            guest.device.requestStatistics()
            SystemTime.sleep(milliseconds: 10)
            used = try third.takeUsed()
        }
        #expect(used != nil)
        #expect(try third.takeUsed() == nil)
        guest.device.reset()
        guest.device.reset()
    }
}
