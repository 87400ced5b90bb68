// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Block
import CLinux
import Glibc
import GuestMemory
import Linux
import TestSupport
import Virtio

/// A driver of one disk, whose requests it makes by hand.
final class DiskDriver {
    let device: BlockDevice
    let served: ServedLoop
    let memory: MockMemory
    let queue: MockQueue
    let features: UInt64

    static let all = MockDriver.usualFeatures | 0xffff

    struct Answer: Equatable {
        var status: UInt8
        var bytes: [UInt8] = []

        static let done = Answer(status: 0)
        static let failed = Answer(status: 1)
        static let unsupported = Answer(status: 2)
    }

    init(
        _ disk: Disk, usesRing: Bool = true, limits: RateLimits = .unlimited, identifier: String = "vol-1",
        features wanted: UInt64 = DiskDriver.all,
        configurationChanged: @escaping @Sendable () -> Void = {},
        failed: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws {
        served = try ServedLoop()
        device = try BlockDevice(
            disk: disk, identifier: identifier, limits: limits, loop: served.loop, usesRing: usesRing)
        features = wanted & (device.features | MockDriver.usualFeatures)
        memory = try MockMemory(byteCount: 64 << 20)
        queue = try MockQueue(memory, size: device.queueSizes[0], features: features)
        try device.activate(
            VirtioActivation(
                memory: memory.guest, features: features, queues: [queue.deviceQueue()],
                configurationChanged: configurationChanged, failed: failed))
    }

    deinit {
        device.reset()
        _ = served.end()
    }

    static func header(_ type: UInt32, _ sector: UInt64) -> [UInt8] {
        little(type) + [0, 0, 0, 0] + little(sector)
    }

    static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<MemoryLayout<Value>.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static func range(_ sector: UInt64, _ count: UInt32, flags: UInt32 = 0) -> [UInt8] {
        little(sector) + little(count) + little(flags)
    }

    /// A request that is told of, and not waited for.
    @discardableResult
    func add(
        _ type: UInt32, _ sector: UInt64 = 0, out: [[UInt8]] = [], in room: [Int] = [], indirect: Bool = false
    ) throws -> UInt16 {
        let head = try queue.add(
            readable: [Self.header(type, sector)] + out, writable: room + [1], indirect: indirect)
        return head
    }

    func answer(_ used: MockQueue.Used) -> Answer {
        var bytes = used.bytes
        return Answer(status: bytes.popLast() ?? 0xff, bytes: bytes)
    }

    /// A request and its answer.
    func run(
        _ type: UInt32, _ sector: UInt64 = 0, out: [[UInt8]] = [], in room: [Int] = [], indirect: Bool = false
    ) throws -> Answer {
        try add(type, sector, out: out, in: room, indirect: indirect)
        try queue.notify()
        return answer(try queue.waitUsed())
    }

    func read(_ sector: UInt64, _ room: Int...) throws -> Answer { try run(0, sector, in: room) }
    func write(_ sector: UInt64, _ bytes: [UInt8]...) throws -> Answer { try run(1, sector, out: bytes) }
    func flush() throws -> Answer { try run(4) }

    func metric(_ name: String) -> UInt64? { device.metrics.first { $0.name == name }?.value }
}

/// Files for disks.
enum DiskFile {
    /// In memory, each sector full of its own number.
    static func memory(sectors: Int) throws -> FileDescriptor {
        let file = try FileDescriptor.memory(named: "disk")
        try fill(file, sectors: sectors)
        return file
    }

    static func fill(_ file: borrowing FileDescriptor, sectors: Int) throws {
        try file.writeAll((0..<sectors).flatMap { [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: 512) })
    }

    /// On a file system with storage behind it, without a name.
    static func onDisk(sectors: Int) throws -> FileDescriptor {
        let file = try FileDescriptor.open(
            "/var/tmp", [.readWrite, OpenOptions(rawValue: Int32(CL_O_TMPFILE))], mode: 0o600)
        try fill(file, sectors: sectors)
        return file
    }

    static func sector(_ number: Int, of file: borrowing FileDescriptor) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: 512)
        let count = unsafe pread(file.rawValue, &bytes, 512, number * 512)
        return Array(bytes.prefix(max(0, count)))
    }

    static func setSize(_ file: borrowing FileDescriptor, sectors: Int) throws {
        guard ftruncate(file.rawValue, sectors * 512) == 0 else { throw Errno(rawValue: errno) }
    }
}
