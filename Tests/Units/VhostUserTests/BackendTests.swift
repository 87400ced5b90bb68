// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import TestSupport
import Testing
import VhostUser
import Virtio

@Suite("Back-end and front-end")
struct BackendTests {
    @Test("A driver behind the socket is served, then the device is reset")
    func roundTrip() throws {
        let device = try EchoDevice()
        let (backend, connection) = try ServedBackend.start(device)
        let driver = try MockDriver(connection: FileDescriptor(owning: connection), queueSizes: [64, 16])
        #expect(driver.features == MockDriver.usualFeatures)
        for (index, queue) in driver.queues.enumerated() {
            for round in 0..<200 {
                try queue.add(readable: [[UInt8(round)], [UInt8(index)]], writable: [1, 1], indirect: round % 2 == 1)
                try queue.notify()
                #expect(try queue.waitUsed().bytes == [UInt8(round), UInt8(index)])
            }
        }
        #expect(try driver.frontend?.queueCount() == 2)
        driver.hangUp()
        #expect(backend.wait() == nil)
        let seen = device.seen
        #expect(seen.activations == [[0, 1]] && seen.resets == 1 && seen.chains == 400 && seen.failures.isEmpty)
        #expect(seen.features == MockDriver.usualFeatures, "the bits of vhost-user are not the device's")
    }

    @Test("Requests that came before the ring was enabled are served")
    func requestsBeforeStart() throws {
        let device = try EchoDevice()
        let (backend, connection) = try ServedBackend.start(device)
        let frontend = try Frontend(connection: FileDescriptor(owning: connection))
        let features = try frontend.negotiate(MockDriver.usualFeatures)
        let memory = try MockMemory()
        try frontend.setMemory([memory.piece])
        let queue = try MockQueue(memory, size: 8, features: features)
        // No kick at all.
        try queue.add(readable: [[5]], writable: [1])
        try frontend.startRing(0, queue.layout, kick: queue.kick, call: queue.call)
        #expect(device.seen.activations.isEmpty, "not enabled")
        try frontend.enableRing(0)
        #expect(try queue.waitUsed().bytes == [5])
        #expect(device.seen.activations == [[0]])
        withExtendedLifetime(frontend) {}
        _ = backend
    }

    @Test("A ring that is ended and started again goes on where it stood; the others too")
    func restart() throws {
        let device = try EchoDevice()
        let (backend, connection) = try ServedBackend.start(device)
        let driver = try MockDriver(connection: FileDescriptor(owning: connection), queueSizes: [8, 8])
        let frontend = try #require(driver.frontend)
        func exchange(_ queue: MockQueue, _ byte: UInt8) throws {
            try queue.add(readable: [[byte]], writable: [1])
            try queue.notify()
            #expect(try queue.waitUsed().bytes == [byte])
        }
        for round: UInt8 in 0..<5 { for queue in driver.queues { try exchange(queue, round) } }
        let base = try frontend.stopRing(1)
        #expect(base == 5)
        try exchange(driver.queues[0], 77)
        // While it is ended nobody looks at it.
        try driver.queues[1].add(readable: [[88]], writable: [1])
        driver.queues[1].kick.signal()
        #expect(throws: MockQueue.TimedOut.self) { try driver.queues[1].waitUsed(milliseconds: 50) }
        try frontend.startRing(
            1, driver.queues[1].layout, base: base, kick: driver.queues[1].kick, call: driver.queues[1].call)
        #expect(try driver.queues[1].waitUsed().bytes == [88])
        try exchange(driver.queues[0], 99)
        #expect(device.seen.activations == [[0, 1], [0], [0, 1]])

        try frontend.enableRing(0, false)
        #expect(device.seen.resets == 3)
        try frontend.enableRing(0, true)
        try exchange(driver.queues[0], 100)
        driver.hangUp()
        #expect(backend.wait() == nil)
        #expect(device.seen.failures.isEmpty)
    }

    @Test("A new driver on fresh rings starts from base 0")
    func driverAgain() throws {
        let device = try EchoDevice()
        let (backend, connection) = try ServedBackend.start(device)
        let driver = try MockDriver(connection: FileDescriptor(owning: connection), queueSizes: [8])
        let frontend = try #require(driver.frontend)
        try driver.queues[0].add(readable: [[1]], writable: [1])
        try driver.queues[0].notify()
        _ = try driver.queues[0].waitUsed()
        try frontend.enableRing(0, false)
        #expect(try frontend.stopRing(0) == 1)
        let fresh = try MockQueue(driver.memory, size: 4, features: driver.features)
        try frontend.startRing(0, fresh.layout, kick: fresh.kick, call: fresh.call)
        try frontend.enableRing(0)
        try fresh.add(readable: [[2]], writable: [1])
        try fresh.notify()
        #expect(try fresh.waitUsed().bytes == [2])
        driver.hangUp()
        #expect(backend.wait() == nil)
    }

    @Test("The call can be moved while the device works")
    func moveCall() throws {
        let (backend, connection) = try ServedBackend.start(try EchoDevice())
        let driver = try MockDriver(
            connection: FileDescriptor(owning: connection), queueSizes: [8], features: VirtioFeature.version1)
        let other = try EventFD()
        try driver.frontend?.setCall(0, other)
        let queue = driver.queues[0]
        let epoll = try Epoll()
        try epoll.add(other.descriptor.borrowed, .readable, token: 1)
        // A start signals once by itself, and that signal may be told here as well: a use is looked for after every
        // signal, and never without one. The second request finds none left over.
        for byte: UInt8 in 1...2 {
            try queue.add(readable: [[byte]], writable: [1])
            try queue.notify()
            let patience = Deadline(after: .seconds(5))
            var answer: [UInt8]?
            while answer == nil, !patience.hasPassed {
                if try epoll.wait(milliseconds: 1000).isEmpty { continue }
                other.drain()
                answer = try queue.takeUsed()?.bytes
            }
            #expect(answer == [byte])
        }
        driver.hangUp()
        #expect(backend.wait() == nil)
    }

    @Test("Memory comes region by region, and the device follows")
    func memorySlots() throws {
        let device = try EchoDevice()
        let (backend, connection) = try ServedBackend.start(device)
        let frontend = try Frontend(
            connection: FileDescriptor(owning: connection), protocolFeatures: [.replyAcknowledge, .memorySlots])
        let features = try frontend.negotiate(MockDriver.usualFeatures)
        let memory = try MockMemory()
        try frontend.addMemory(memory.piece)
        let queue = try MockQueue(memory, size: 8, features: features)
        try frontend.startRing(0, queue.layout, kick: queue.kick, call: queue.call)
        try frontend.enableRing(0)
        let more = try MockMemory(byteCount: 1 << 16, start: 0x1_0000_0000)
        var piece = more.piece
        piece.frontEndStart = 0x7f55_0000_0000
        try frontend.addMemory(piece)
        let far = try more.allocate([42])
        let back = try memory.allocate(1)
        try queue.add(readable: [far], writable: [back])
        try queue.notify()
        _ = try queue.waitUsed()
        #expect(back.slice.bytes() == [42])
        #expect(throws: VhostUserError.refused(request: 37, 1), "overlaps") { try frontend.addMemory(piece) }
        try frontend.removeMemory(piece)
        #expect(throws: VhostUserError.refused(request: 38, 1), "is gone") { try frontend.removeMemory(piece) }
        try queue.add(readable: [far], writable: [back])
        try queue.notify()
        #expect(throws: MockQueue.TimedOut.self) { try queue.waitUsed(milliseconds: 50) }
        #expect(device.seen.failures.count == 1, "a buffer that was taken away breaks the queue, not the program")
        withExtendedLifetime(frontend) {}
        _ = backend
    }

    @Test("The configuration space is read whole or in part, and not past its end")
    func configuration() throws {
        let (backend, connection) = try ServedBackend.start(try EchoDevice(configuration: Array(1...8)))
        let frontend = try Frontend(connection: FileDescriptor(owning: connection))
        #expect(try frontend.configuration(byteCount: 8) == Array(1...8))
        #expect(try frontend.configuration(from: 6, byteCount: 2) == [7, 8])
        #expect(try frontend.configuration(from: 8, byteCount: 0) == [])
        #expect(try frontend.configuration(from: 7, byteCount: 2) == nil)
        #expect(try frontend.configuration(from: .max, byteCount: 256) == nil)
        #expect(frontend.protocolFeatures.contains(.configuration))
        let (other, plain) = try ServedBackend.start(try EchoDevice(configuration: []))
        let plainFrontend = try Frontend(connection: FileDescriptor(owning: plain))
        #expect(!plainFrontend.protocolFeatures.contains(.configuration))
        plainFrontend.hangUp()
        #expect(other.wait() == nil)
        // One that has a space, and leaves it to the front-end.
        let (silent, kept) = try ServedBackend.start(
            try EchoDevice(configuration: Array(1...8)), offersConfiguration: false)
        let silentFrontend = try Frontend(connection: FileDescriptor(owning: kept))
        #expect(!silentFrontend.protocolFeatures.contains(.configuration))
        silentFrontend.hangUp()
        #expect(silent.wait() == nil)
        withExtendedLifetime(frontend) {}
        _ = backend
    }

    @Test("A device that misses a queue waits for it")
    func missingQueue() throws {
        let device = try EchoDevice(requiredQueues: 2)
        let (backend, connection) = try ServedBackend.start(device)
        let frontend = try Frontend(connection: FileDescriptor(owning: connection))
        let features = try frontend.negotiate(VirtioFeature.version1)
        let memory = try MockMemory()
        try frontend.setMemory([memory.piece])
        let queues = try (0..<2).map { _ in try MockQueue(memory, size: 8, features: features) }
        for index in 0..<2 {
            try frontend.enableRing(index)
            try frontend.startRing(index, queues[index].layout, kick: queues[index].kick, call: queues[index].call)
            #expect(device.seen.activations == (index == 0 ? [] : [[0, 1]]))
        }
        withExtendedLifetime(frontend) {}
        _ = backend
    }

    @Test("RESET_DEVICE takes everything back; the device can be set up anew")
    func resetDevice() throws {
        let device = try EchoDevice()
        let (backend, connection) = try ServedBackend.start(device)
        let frontend = try Frontend(
            connection: FileDescriptor(owning: connection), protocolFeatures: [.replyAcknowledge, .resetDevice])
        let memory = try MockMemory()
        try frontend.setMemory([memory.piece])
        for _ in 0..<3 {
            let features = try frontend.negotiate(MockDriver.usualFeatures)
            let queue = try MockQueue(memory, size: 8, features: features)
            try frontend.startRing(0, queue.layout, kick: queue.kick, call: queue.call)
            try frontend.enableRing(0)
            try queue.add(readable: [[3]], writable: [1])
            try queue.notify()
            #expect(try queue.waitUsed().bytes == [3])
            try frontend.resetDevice()
        }
        #expect(device.seen.resets == 3)
        withExtendedLifetime(frontend) {}
        _ = backend
    }
}
