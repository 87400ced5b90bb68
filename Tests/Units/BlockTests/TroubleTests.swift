// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Block
import Glibc
import GuestMemory
import Linux
import Synchronization
import TestSupport
import Testing
import Virtio

/// Disks and drivers that misbehave; limits, resets, sizes that change.
@Suite struct TroubleTests {
    static let ways = [true, false]

    @Test("Requests beyond a shrunk file fail, and the rest is still served", arguments: ways)
    func aDiskThatShrinksFailsItsRequests(usesRing: Bool) throws {
        let file = try DiskFile.onDisk(sectors: 64)
        let driver = try DiskDriver(try Disk(try file.duplicate(), isReadOnly: false), usesRing: usesRing)
        try DiskFile.setSize(file, sectors: 16)
        #expect(try driver.read(32, 512).status == 1)
        // Half of it is there.
        #expect(try driver.read(12, 4096).status == 1)
        #expect(try driver.read(15, 512).bytes == [UInt8](repeating: 15, count: 512))
        #expect(driver.metric("failures") == 2)
    }

    @Test("Each capacity change notifies the driver once, and only while it is active")
    func theDriverIsToldOfAnotherSize() throws {
        let file = try DiskFile.memory(sectors: 64)
        let changes = Changes()
        let driver = try DiskDriver(
            try Disk(try file.duplicate(), isReadOnly: false),
            configurationChanged: { changes.count.wrappingAdd(1, ordering: .relaxed) })
        try driver.device.refreshCapacity()
        #expect(changes.count.load(ordering: .relaxed) == 0)
        try DiskFile.setSize(file, sectors: 128)
        #expect(try driver.read(64, 512).status == 1)
        try driver.device.refreshCapacity()
        #expect(changes.count.load(ordering: .relaxed) == 1)
        #expect(driver.device.configuration[0] == 128)
        #expect(try driver.read(127, 512).bytes == [UInt8](repeating: 0, count: 512))
        try DiskFile.setSize(file, sectors: 8)
        try driver.device.refreshCapacity()
        #expect(driver.device.configuration[0] == 8)
        #expect(try driver.write(8, [UInt8](repeating: 1, count: 512)) == .failed)
        driver.device.reset()
        try DiskFile.setSize(file, sectors: 9)
        try driver.device.refreshCapacity()
        #expect(changes.count.load(ordering: .relaxed) == 2)
    }

    @Test("A chain without room for the status breaks the device until its reset", arguments: ways)
    func aChainWithoutRoomForTheStatusBreaksTheDevice(usesRing: Bool) throws {
        let failure = Failure()
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 8), isReadOnly: true), usesRing: usesRing,
            failed: { error in failure.error.withLock { $0 = error } })
        let head = try driver.queue.add(readable: [DiskDriver.header(0, 0)], writable: [])
        try driver.queue.notify()
        #expect(failure.wait() == .chainTooShort(head: head))
        // And not for ever.
        driver.device.reset()
        let queue = try MockQueue(driver.memory, size: 256, features: driver.features)
        try driver.device.activate(
            VirtioActivation(
                memory: driver.memory.guest, features: driver.features, queues: [queue.deviceQueue()]))
        try queue.add(readable: [DiskDriver.header(0, 3)], writable: [512, 1])
        try queue.notify()
        #expect(try queue.waitUsed().bytes.first == 3)
    }

    @Test("Activation without the request queue fails")
    func aQueueThatIsNotThere() throws {
        let served = try ServedLoop(starts: false)
        let device = try BlockDevice(
            disk: try Disk(try DiskFile.memory(sectors: 8), isReadOnly: true), identifier: "", loop: served.loop)
        let memory = try MockMemory()
        #expect(throws: VirtioError.queueMissing(0)) {
            try device.activate(VirtioActivation(memory: memory.guest, features: 0, queues: [nil]))
        }
        #expect(throws: VirtioError.queueMissing(0)) {
            try device.activate(VirtioActivation(memory: memory.guest, features: 0, queues: []))
        }
        device.reset()
        _ = served.end()
    }

    /// Every request that was taken has been answered when reset returns, whatever the loop was at.
    @Test("A reset completes every request it took and leaves the rest in the ring", arguments: ways)
    func nothingIsUnderWayAfterReset(usesRing: Bool) throws {
        let file = try DiskFile.onDisk(sectors: 65536)
        for round in 0..<20 {
            let driver = try DiskDriver(try Disk(try file.duplicate(), isReadOnly: false), usesRing: usesRing)
            // What is not in memory has to be waited for.
            _ = posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
            for index in 0..<60 { try driver.add(0, UInt64((index * 1021 + round) % 60000), in: [4096]) }
            try driver.queue.notify()
            if round % 2 == 1 { SystemTime.sleep(milliseconds: 1) }
            driver.device.reset()
            var count: UInt16 = 0
            while let used = try driver.queue.takeUsed() {
                #expect(driver.answer(used).status == 0)
                count += 1
            }
            // The rest waits in the ring for the next activation.
            let queue = try driver.queue.deviceQueue(nextAvailable: count)
            try driver.device.activate(
                VirtioActivation(memory: driver.memory.guest, features: driver.features, queues: [queue]))
            while count < 60 {
                #expect(driver.answer(try driver.queue.waitUsed()).status == 0)
                count += 1
            }
        }
    }

    @Test("Operations are held to the rate limit, and the time to go on is returned")
    func operationsAreHeldToTheirLimit() throws {
        let memory = try MockMemory()
        let queue = try MockQueue(memory, size: 256)
        let start = ContinuousClock.now
        let limits = RateLimits(operations: RateLimit(size: 4, burst: 2, refill: .seconds(1)))
        let work = BlockWork(
            disk: try Disk(try DiskFile.memory(sectors: 64), isReadOnly: true), queue: try queue.deviceQueue(),
            memory: memory.guest, features: VirtioFeature.version1, limits: limits, now: start)
        for index in 0..<10 {
            try queue.add(readable: [DiskDriver.header(0, UInt64(index))], writable: [512, 1])
        }
        #expect(try work.work(now: start) == start.advanced(by: .milliseconds(250)))
        #expect(try taken(queue) == [0, 1, 2, 3, 4, 5])
        #expect(try work.work(now: start.advanced(by: .milliseconds(100))) == start.advanced(by: .milliseconds(250)))
        #expect(try taken(queue) == [])
        #expect(try work.work(now: start.advanced(by: .milliseconds(500))) == start.advanced(by: .milliseconds(750)))
        #expect(try taken(queue) == [6, 7])
        #expect(try work.work(now: start.advanced(by: .seconds(9))) == nil)
        #expect(try taken(queue) == [8, 9])
    }

    @Test("A request larger than the byte bucket passes and delays those after it")
    func bytesAreHeldToTheirLimit() throws {
        let memory = try MockMemory()
        let queue = try MockQueue(memory, size: 256)
        let start = ContinuousClock.now
        let limits = RateLimits(bandwidth: RateLimit(size: 1024, refill: .seconds(1)))
        let work = BlockWork(
            disk: try Disk(try DiskFile.memory(sectors: 64), isReadOnly: true), queue: try queue.deviceQueue(),
            memory: memory.guest, features: VirtioFeature.version1, limits: limits, now: start)
        // Larger than the bucket: it passes, and is owed.
        for count in [8192, 512] { try queue.add(readable: [DiskDriver.header(0, 0)], writable: [count, 1]) }
        // A flush moves no bytes, but waits its turn.
        try queue.add(readable: [DiskDriver.header(4, 0)], writable: [1])
        #expect(try work.work(now: start) == start.advanced(by: .milliseconds(7500)))
        #expect(try taken(queue).count == 1)
        #expect(try work.work(now: start.advanced(by: .milliseconds(7500))) == nil)
        #expect(try taken(queue).count == 2)
    }

    @Test("Rate limits change while requests are held back", arguments: ways)
    func limitsChangeWhileItRuns(usesRing: Bool) throws {
        let slow = RateLimits(operations: RateLimit(size: 1, refill: .seconds(3600)))
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 64), isReadOnly: true), usesRing: usesRing, limits: slow)
        #expect(try driver.read(1, 512).status == 0)
        try driver.add(0, 2, in: [512])
        try driver.queue.notify()
        #expect(throws: MockQueue.TimedOut.self) { _ = try driver.queue.waitUsed(milliseconds: 50) }
        #expect(driver.metric("limiter_stalls") ?? 0 >= 1)
        driver.device.update(.unlimited)
        #expect(try driver.queue.waitUsed().bytes.first == 2)
        driver.device.update(slow)
        #expect(try driver.read(3, 512).status == 0)
        try driver.add(0, 4, in: [512])
        try driver.queue.notify()
        #expect(throws: MockQueue.TimedOut.self) { _ = try driver.queue.waitUsed(milliseconds: 50) }
    }

    private func taken(_ queue: MockQueue) throws -> [UInt8] {
        var sectors: [UInt8] = []
        while let used = try queue.takeUsed() { sectors.append(used.bytes.first ?? 0xff) }
        return sectors
    }

    private final class Changes: Sendable {
        let count = Atomic(0)
    }

    private final class Failure: Sendable {
        let error = Mutex<VirtioError?>(nil)

        func wait() -> VirtioError? {
            for _ in 0..<500 {
                if let error = error.withLock({ $0 }) { return error }
                SystemTime.sleep(milliseconds: 10)
            }
            return nil
        }
    }
}
