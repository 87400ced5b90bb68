// SPDX-License-Identifier: Apache-2.0
import Balloon
import Glibc
import GuestMemory
import Linux
import Synchronization
import TestSupport
import Virtio

/// A guest with a balloon: its driver behind virtio-mmio, and a loop that serves the device.
final class Guest {
    let served: ServedLoop
    let device: BalloonDevice
    let driver: MMIODriver
    private let failures = Failures()

    private struct NoFailure: Error {}

    private final class Failures: Sendable {
        let all = Mutex<[VirtioError]>([])
    }

    /// What Linux agrees to.
    static let features = MockDriver.usualFeatures | 1 << 1 | 1 << 2 | 1 << 5
    static let page: UInt64 = 4096

    init(features: UInt64 = Guest.features, queueSizes: [UInt16] = [128, 128, 16, 64]) throws {
        served = try ServedLoop()
        device = try BalloonDevice(loop: served.loop)
        let failures = failures
        driver = try MMIODriver(device: device) { error in failures.all.withLock { $0.append(error) } }
        try driver.start(features: features, queueSizes: queueSizes)
    }

    deinit {
        device.reset()
        _ = served.end()
    }

    var memory: MockMemory { driver.memory }
    var inflate: MockQueue { driver.queues[0] }
    var deflate: MockQueue { driver.queues[1] }
    var statistics: MockQueue { driver.queues[2] }
    var reporting: MockQueue { driver.queues[3] }

    func metric(_ name: String) -> UInt64? { device.metrics.first { $0.name == name }?.value }

    /// Bytes that the host has for the guest's memory.
    func residentByteCount() throws -> Int {
        var status = stat()
        guard unsafe fstat(memory.file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        return 512 * status.st_blocks
    }

    /// Pages of the guest's that hold something.
    func pages(_ count: Int) throws -> MockMemory.Buffer {
        let buffer = try memory.allocate(count * Int(Guest.page), alignment: Guest.page)
        for page in 0..<count { try buffer.slice.store(UInt64.max, at: page * Int(Guest.page) + 8) }
        return buffer
    }

    func isHeld(_ buffer: MockMemory.Buffer, page: Int) throws -> Bool {
        try buffer.slice.load(UInt64.self, at: page * Int(Guest.page) + 8) == .max
    }

    static func number(_ buffer: MockMemory.Buffer, page: Int) -> UInt32 {
        UInt32(buffer.address.rawValue / Guest.page) + UInt32(page)
    }

    static func bytes(_ numbers: [UInt32]) -> [UInt8] {
        numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    /// Gives the pages away and waits until the device has them.
    func give(_ numbers: [UInt32]) throws {
        try inflate.add(readable: [Guest.bytes(numbers)])
        try inflate.notify()
        _ = try inflate.waitUsed()
    }

    func failure() throws -> VirtioError {
        for _ in 0..<500 {
            if let first = failures.all.withLock({ $0.first }) { return first }
            SystemTime.sleep(milliseconds: 10)
        }
        throw NoFailure()
    }

    var hasFailed: Bool { failures.all.withLock { !$0.isEmpty } }
}
