// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux
import Synchronization
import TestSupport
import Testing
import VhostUser
import Virtio

/// What was told of failures.
private final class FailureLog: Sendable {
    private let list = Mutex<[VirtioError]>([])
    func note(_ error: VirtioError) { list.withLock { $0.append(error) } }
    var all: [VirtioError] { list.withLock { $0 } }

    func waitForOne() -> VirtioError? {
        let patience = Deadline(after: .seconds(10))
        while all.isEmpty, !patience.hasPassed { SystemTime.sleep(milliseconds: 1) }
        return all.first
    }
}

/// A machine with one device, which another process serves.
private final class Machine {
    let served: ServedLoop
    let log = FailureLog()
    let driver: MMIODriver

    init(
        _ connection: BorrowedDescriptor, configuration: VhostUserDevice.Configuration = .given([7]),
        queueSizes: [UInt16] = [64, 128], patience: Duration = .seconds(10)
    ) throws {
        served = try ServedLoop()
        let memory = try MockMemory()
        let device = try VhostUserDevice(
            type: .fileSystem, queueSizes: queueSizes, configuration: configuration,
            connection: FileDescriptor(owning: connection), memory: [memory.piece], loop: served.loop,
            patience: patience)
        driver = try MMIODriver(device: device, memory: memory, onFailure: log.note)
    }
}

@Suite("A device that another process serves")
struct VhostUserDeviceTests {
    @Test("A driver behind virtio-mmio reaches it, resets it, and reaches it again")
    func life() throws {
        let echo = try EchoDevice(type: .fileSystem, features: 1 << 5, queueSizes: [64, 128], configuration: [])
        let (backend, connection) = try ServedBackend.start(echo)
        do {
            let machine = try Machine(connection)
            let driver = machine.driver
            #expect(driver.read(0x08) == 26 && driver.configuration(byteCount: 2) == [7, 0])
            for round in 1...4 {
                try driver.start(features: MockDriver.usualFeatures | 1 << 5, queueSizes: [64, 32])
                #expect(driver.status == 15)
                #expect(echo.seen.features == MockDriver.usualFeatures | 1 << 5)
                for index in 0..<2 {
                    for byte: UInt8 in 0..<50 {
                        #expect(try driver.exchange(index, [byte, UInt8(round)]) == [byte, UInt8(round)])
                    }
                }
            }
            driver.status = 0
            #expect(echo.seen.resets == 4, "reset has returned: the back-end has let go")
            #expect(machine.log.all.isEmpty)
        }
        #expect(backend.wait() == nil, "the machine's end is the back-end's")
        let seen = echo.seen
        #expect(seen.activations == [[0, 1], [0, 1], [0, 1], [0, 1]] && seen.failures.isEmpty)
        #expect(seen.chains == 400)
    }

    @Test("A driver may leave a queue out")
    func oneQueue() throws {
        let echo = try EchoDevice(queueSizes: [64, 128])
        let (backend, connection) = try ServedBackend.start(echo)
        do {
            let machine = try Machine(connection)
            try machine.driver.negotiate(VirtioFeature.version1)
            let queue = try machine.driver.setUpQueue(1, size: 16)
            machine.driver.status |= 4
            try queue.add(readable: [[4]], writable: [1])
            machine.driver.write(0x50, 1)
            #expect(try queue.waitUsed().bytes == [4])
        }
        #expect(backend.wait() == nil)
        #expect(echo.seen.activations == [[1]] && echo.seen.features == VirtioFeature.version1)
    }

    @Test("The configuration space is the back-end's where it has one")
    func configuration() throws {
        let (backend, connection) = try ServedBackend.start(try EchoDevice(configuration: [1, 2, 3]))
        do {
            let machine = try Machine(connection, configuration: .ofBackEnd(byteCount: 3))
            #expect(machine.driver.configuration(byteCount: 3) == [1, 2, 3])
            // Read-only.
            try machine.driver.start(queueSizes: [64])
            machine.driver.transport.write(0x100, width: 1, 9)
            #expect(machine.driver.configuration(byteCount: 3) == [1, 2, 3])
        }
        #expect(backend.wait() == nil)
        for (bytes, count) in [([], 3), ([1, 2, 3], 4)] as [([UInt8], UInt32)] {
            let (backend, connection) = try ServedBackend.start(try EchoDevice(configuration: bytes))
            #expect(throws: VhostUserError.notSupported(request: 24)) {
                _ = try Machine(connection, configuration: .ofBackEnd(byteCount: count))
            }
            #expect(backend.wait() == nil)
        }
    }

    @Test("A back-end that dies breaks an active device for good")
    func death() throws {
        let backEnd = try ScriptedBackEnd(request: 0, .silent)
        let machine = try Machine(backEnd.connection)
        try machine.driver.start(queueSizes: [64, 128])
        #expect(machine.driver.status == 15 && machine.log.all.isEmpty)
        backEnd.end()
        #expect(machine.log.waitForOne() == .backEnd("it has hung up"))
        #expect(machine.driver.status == 15 | 64)
        // It does not come back, and nobody waits for it.
        let start = ContinuousClock.now
        try machine.driver.start(queueSizes: [64, 128])
        #expect(machine.driver.status == 15 | 64)
        #expect(start.duration(to: .now) < .seconds(5))
        #expect(machine.log.all.count == 2)
    }

    @Test("A back-end that dies before the driver starts breaks the device")
    func earlyDeath() throws {
        let backEnd = try ScriptedBackEnd(request: 0, .silent)
        let machine = try Machine(backEnd.connection)
        backEnd.end()
        try machine.driver.start(queueSizes: [64, 128])
        #expect(machine.driver.status == 15 | 64)
        guard case .backEnd = machine.log.all.first else {
            Issue.record("\(machine.log.all)")
            return
        }
    }

    @Test("A back-end that speaks unasked breaks the device")
    func unasked() throws {
        let backEnd = try ScriptedBackEnd(request: 0, .silent)
        let machine = try Machine(backEnd.connection)
        try machine.driver.start(queueSizes: [64, 128])
        backEnd.speak([1])
        #expect(machine.log.waitForOne() == .backEnd("it speaks unasked"))
    }

    @Test(
        "A back-end that is silent, gone or wrong when the driver starts breaks the device, in time",
        arguments: [2, 8, 10, 9, 13, 12, 18] as [UInt32])
    func faultAtStart(request: UInt32) throws {
        let faults: [ScriptedBackEnd.Fault] = [
            .silent, .gone, .answers([]), .answers([1]), .answers(RawClient.words(request, 5, 8) + RawClient.longs(1)),
            .answers(RawClient.words(request + 1, 5, 8) + RawClient.longs(0)),
            .answers(RawClient.words(request, 5, 0xffff)), .answers(RawClient.words(request, 5, 0)),
        ]
        for fault in faults {
            let backEnd = try ScriptedBackEnd(request: request, fault)
            let machine = try Machine(backEnd.connection, patience: .milliseconds(600))
            let start = ContinuousClock.now
            try machine.driver.start(queueSizes: [64, 128])
            #expect(start.duration(to: .now) < .seconds(8))
            #expect(machine.driver.status == 15 | 64, "\(fault)")
            guard case .backEnd = machine.log.all.first else {
                Issue.record("\(fault): \(machine.log.all)")
                return
            }
        }
    }

    @Test("A back-end that does not let go is hung up on: the reset ends all the same")
    func faultAtReset() throws {
        for fault in [.silent, .gone, .answers(RawClient.words(11, 5, 4) + [0, 0, 0, 0])] as [ScriptedBackEnd.Fault] {
            let backEnd = try ScriptedBackEnd(request: 11, fault)
            let machine = try Machine(backEnd.connection, patience: .milliseconds(600))
            try machine.driver.start(queueSizes: [64, 128])
            #expect(machine.driver.status == 15)
            let start = ContinuousClock.now
            machine.driver.status = 0
            #expect(start.duration(to: .now) < .seconds(8))
            #expect(machine.driver.status == 0)
            try machine.driver.start(queueSizes: [64, 128])
            #expect(machine.driver.status == 15 | 64)
        }
    }

    @Test("A back-end that cannot be used is refused at once", arguments: [1, 15, 17, 5] as [UInt32])
    func faultAtGreeting(request: UInt32) throws {
        for fault in [.silent, .gone, .answers([0]), .answers(RawClient.words(request, 5, 4) + [0, 0, 0, 0])]
            as [ScriptedBackEnd.Fault]
        {
            let backEnd = try ScriptedBackEnd(request: request, fault)
            #expect(throws: VhostUserError.self) { _ = try Machine(backEnd.connection, patience: .milliseconds(600)) }
        }
    }

    @Test("A back-end that lacks ring features or queues is refused")
    func lacking() throws {
        let plain = try ScriptedBackEnd(features: 1 << 30 | 1 << 32 | 1 << 28, request: 0, .silent)
        #expect(throws: VhostUserError.features(1 << 29)) { _ = try Machine(plain.connection) }
        let few = try ScriptedBackEnd(queues: 1, request: 0, .silent)
        #expect(throws: VhostUserError.ringIndex(1, count: 2)) { _ = try Machine(few.connection) }
        // What it offers for the ring and the transport is not the device's.
        let packed = try ScriptedBackEnd(features: .max, request: 0, .silent)
        let machine = try Machine(packed.connection)
        machine.driver.write(0x14, 1)
        #expect(machine.driver.read(0x10) == 0xfffc_0001)
        machine.driver.write(0x14, 0)
        #expect(machine.driver.read(0x10) == 0x30ff_ffff)
    }

    @Test("A device and its back-end leave no descriptor open")
    func descriptors() throws {
        func openCount() throws -> Int {
            guard let folder = unsafe opendir("/proc/self/fd") else { return -1 }
            defer { unsafe closedir(folder) }
            var count = 0
            while unsafe readdir(folder) != nil { count += 1 }
            return count
        }
        // Other tests open and close meanwhile: the least of several differences tells.
        var least = Int.max
        for _ in 0..<20 where least > 0 {
            let before = try openCount()
            let (backend, connection) = try ServedBackend.start(try EchoDevice(queueSizes: [64, 128]))
            do {
                let machine = try Machine(connection)
                for _ in 0..<5 { try machine.driver.start(queueSizes: [64, 128]) }
            }
            _ = backend.wait()
            least = min(least, try openCount() - before)
        }
        #expect(least <= 0)
    }
}
