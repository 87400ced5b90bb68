// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Linux
import Synchronization
import TestSupport
import Testing
import Virtio

@testable import Entropy

@Suite("The entropy device, with a driver")
struct EntropyTests {
    private let served: ServedLoop

    init() throws { served = try ServedLoop() }

    private func metric(_ device: EntropyDevice, _ name: String) -> UInt64? {
        device.metrics.first { $0.name == name }?.value
    }

    private struct NoFailure: Error {}

    /// The failures a device tells, through a driver of its own.
    private final class Failures: Sendable {
        let all = Mutex<[VirtioError]>([])

        func wait() throws -> VirtioError {
            for _ in 0..<500 {
                if let first = all.withLock({ $0.first }) { return first }
                SystemTime.sleep(milliseconds: 10)
            }
            throw NoFailure()
        }
    }

    private func start(_ device: EntropyDevice) throws -> (MockQueue, Failures) {
        let memory = try MockMemory()
        let queue = try MockQueue(memory, size: 64, features: MockDriver.usualFeatures)
        let failures = Failures()
        try device.activate(
            VirtioActivation(
                memory: memory.guest, features: MockDriver.usualFeatures, queues: [queue.deviceQueue()],
                failed: { error in failures.all.withLock { $0.append(error) } }))
        return (queue, failures)
    }

    @Test("The device declares its type and one queue, and needs that queue")
    func whatItIs() {
        let device = EntropyDevice(loop: served.loop)
        #expect(device.type == .entropy && device.features == 0)
        #expect(device.configuration.isEmpty && device.queueSizes.count == 1)
        #expect(throws: VirtioError.queueMissing(0)) {
            try device.activate(
                VirtioActivation(memory: MockMemory().guest, features: 0, queues: [nil]))
        }
    }

    @Test("Every request gets different bytes and is counted")
    func differentBytesForEveryRequest() throws {
        let device = EntropyDevice(loop: served.loop)
        let driver = try MockDriver(device: device)
        defer { device.reset() }
        var seen: Set<[UInt8]> = []
        for _ in 0..<20 {
            try driver.queues[0].add(writable: [16, 48])
            try driver.queues[0].notify()
            let used = try driver.queues[0].waitUsed()
            #expect(used.byteCount == 64)
            seen.insert(used.bytes)
        }
        #expect(seen.count == 20)
        #expect(metric(device, "requests") == 20)
        #expect(metric(device, "written_bytes") == 20 * 64)
    }

    @Test("A request for one byte gets one byte")
    func oneByte() throws {
        let device = EntropyDevice(loop: served.loop)
        let driver = try MockDriver(device: device)
        defer { device.reset() }
        try driver.queues[0].add(writable: [1])
        try driver.queues[0].notify()
        #expect(try driver.queues[0].waitUsed().byteCount == 1)
    }

    @Test("A request of megabytes gets 64 KiB and no more")
    func aRequestOfMegabytesGetsTheMostOfOneTurn() throws {
        let device = EntropyDevice(loop: served.loop)
        let driver = try MockDriver(device: device)
        defer { device.reset() }
        let buffers = try (0..<3).map { _ in try driver.memory.allocate(1 << 20) }
        try driver.queues[0].add(readable: [], writable: buffers)
        try driver.queues[0].notify()
        let used = try driver.queues[0].waitUsed()
        #expect(used.byteCount == 64 * 1024)
        let bytes = buffers[0].slice.bytes()
        #expect(bytes[..<65536].contains { $0 != 0 } && bytes[65536...].allSatisfy { $0 == 0 })
    }

    @Test("A full queue of requests is served completely")
    func manyRequestsAtOnce() throws {
        let device = EntropyDevice(loop: served.loop)
        let driver = try MockDriver(device: device)
        defer { device.reset() }
        for _ in 0..<64 { try driver.queues[0].add(writable: [4096]) }
        try driver.queues[0].notify()
        for _ in 0..<64 { #expect(try driver.queues[0].waitUsed().byteCount == 4096) }
    }

    @Test("A device-readable buffer breaks the device")
    func aBufferToReadBreaksTheDevice() throws {
        let device = EntropyDevice(loop: served.loop)
        let (queue, failures) = try start(device)
        defer { device.reset() }
        let head = try queue.add(readable: [[1, 2, 3]], writable: [16])
        try queue.notify()
        #expect(try failures.wait() == .readableBuffer(head: head))
        #expect(try queue.takeUsed() == nil)
    }

    @Test("A chain without room breaks the device")
    func aChainWithoutABufferBreaksTheDevice() throws {
        let device = EntropyDevice(loop: served.loop)
        let (queue, failures) = try start(device)
        defer { device.reset() }
        try queue.describe(5, address: 0x4000_0000, byteCount: 0, flags: 2)
        try queue.offer(5)
        try queue.notify()
        #expect(try failures.wait() == .chainTooShort(head: 5))
    }

    @Test("A buffer beyond guest memory breaks the device")
    func aBufferBeyondTheMemoryBreaksTheDevice() throws {
        let device = EntropyDevice(loop: served.loop)
        let (queue, failures) = try start(device)
        defer { device.reset() }
        // Begins in the guest's memory and ends behind it.
        try queue.describe(0, address: 0x4000_0000 + (16 << 20) - 16, byteCount: 0xffff_ffff, flags: 2)
        try queue.offer(0)
        try queue.notify()
        let failure = try failures.wait()
        guard case .buffer(head: 0, _) = failure else { throw failure }
    }

    @Test("A rate limit holds across a reset")
    func aLimitHoldsAcrossAReset() throws {
        let limit = RateLimit(size: 4096, refill: .seconds(3600))
        let device = EntropyDevice(loop: served.loop, limits: RateLimits(bandwidth: limit))
        defer { device.reset() }
        let driver = try MockDriver(device: device)
        for _ in 0..<4 { try driver.queues[0].add(writable: [2048]) }
        try driver.queues[0].notify()
        for _ in 0..<2 { #expect(try driver.queues[0].waitUsed().byteCount == 2048) }
        #expect(throws: MockQueue.TimedOut.self) { _ = try driver.queues[0].waitUsed(milliseconds: 200) }
        #expect(try #require(metric(device, "limited")) > 0)
        let again = try MockDriver(device: device)
        try again.queues[0].add(writable: [16])
        try again.queues[0].notify()
        #expect(throws: MockQueue.TimedOut.self) { _ = try again.queues[0].waitUsed(milliseconds: 200) }
    }

    /// The work as a loop calls it, at moments of the test's.
    @Test("A rate limit spreads requests over its refill time")
    func aLimitLetsThroughWhatItSays() throws {
        let source = EntropySource(RateLimits(bandwidth: RateLimit(size: 1024, refill: .milliseconds(50))))
        let memory = try MockMemory()
        let queue = try MockQueue(memory, size: 64, features: MockDriver.usualFeatures)
        let work = EntropyWork(memory: memory.guest, queue: try queue.deviceQueue(), source: source)
        for _ in 0..<6 { try queue.add(writable: [1024]) }
        let start = ContinuousClock.now
        var now = start
        for left in (0..<6).reversed() {
            let later = try work.work(now: now)
            #expect(try queue.takeUsed()?.byteCount == 1024)
            #expect(try queue.takeUsed() == nil)
            guard left > 0 else {
                #expect(later == nil)
                break
            }
            let next = try #require(later)
            #expect(try work.work(now: next - .nanoseconds(1)) == next)
            #expect(try queue.takeUsed() == nil)
            now = next
        }
        // The first passes at once, the second with the first byte of room, and each other once that has been paid for.
        #expect((.milliseconds(200) ..< .milliseconds(201)).contains(start.duration(to: now)))
    }
}
