// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import TestSupport
import Testing
import Virtio

@Suite("Virtqueue")
struct VirtqueueTests {
    @Test("A chain comes out as it was put in, and goes back with its length", arguments: [false, true])
    func chain(indirect: Bool) throws {
        let driver = try MockQueue(MockMemory(), size: 8, features: MockDriver.usualFeatures)
        let queue = try driver.deviceQueue()
        let head = try driver.add(readable: [[1, 2, 3], [4]], writable: [5, 6], indirect: indirect)
        let chain = try #require(try queue.next())
        #expect(chain.head == head)
        #expect(chain.readable.map { $0.bytes() } == [[1, 2, 3], [4]])
        #expect(chain.writable.map(\.count) == [5, 6])
        #expect(chain.readableCount == 4 && chain.writableCount == 11)
        #expect(try queue.next() == nil)
        try chain.writable[0].store(UInt32(0x0403_0201), at: 0)
        try queue.complete(head, byteCount: 4)
        queue.notify()
        let used = try driver.waitUsed()
        #expect(used.head == head && used.bytes == [1, 2, 3, 4])
    }

    @Test("Thousands of chains of changing shape wrap every index, none lost, none mixed up")
    func manyChains() throws {
        let driver = try MockQueue(MockMemory(), size: 4, features: MockDriver.usualFeatures)
        let queue = try driver.deviceQueue()
        for round in 0..<70_000 {
            let first = UInt8(truncatingIfNeeded: round)
            let shape = round % 3
            try driver.add(
                readable: Array(repeating: [first, 7], count: shape + 1), writable: shape == 2 ? [] : [2],
                indirect: round % 5 == 0)
            let chain = try #require(try queue.next())
            #expect(chain.readable.count == shape + 1 && chain.writable.count == (shape == 2 ? 0 : 1))
            try queue.complete(chain.head, byteCount: EchoDevice.echo(chain))
            #expect(try driver.waitUsed().bytes == (shape == 2 ? [] : [first, 7]))
        }
    }

    @Test("A chain held by the device is not touched by the next")
    func chainsInFlight() throws {
        let driver = try MockQueue(MockMemory(), size: 8)
        let queue = try driver.deviceQueue()
        try driver.add(readable: [[1]], writable: [1])
        try driver.add(readable: [[2], [3]])
        let first = try #require(try queue.next())
        let second = try #require(try queue.next())
        #expect(first.readable.map { $0.bytes() } == [[1]] && first.writable.count == 1)
        #expect(second.readable.map { $0.bytes() } == [[2], [3]] && second.writable.isEmpty)
    }

    @Test("A chain given back comes again")
    func rewind() throws {
        let driver = try MockQueue(MockMemory(), size: 8)
        let queue = try driver.deviceQueue()
        let head = try driver.add(readable: [[9]])
        #expect(try queue.next()?.head == head)
        queue.rewind()
        #expect(try queue.next()?.head == head)
        #expect(try queue.next() == nil)
    }

    @Test("A queue goes on from the base it is given")
    func base() throws {
        let driver = try MockQueue(MockMemory(), size: 4)
        let first = try driver.deviceQueue()
        try driver.add(readable: [[1]])
        let head = try #require(try first.next()).head
        try first.complete(head, byteCount: 0)
        let second = try driver.deviceQueue(nextAvailable: first.nextAvailable)
        #expect(try second.next() == nil)
        try driver.add(readable: [[2]])
        let chain = try #require(try second.next())
        #expect(chain.readable[0].bytes() == [2])
        try second.complete(chain.head, byteCount: 0)
        #expect(try driver.takeUsed() != nil)
        #expect(try driver.takeUsed() != nil, "the used ring goes on where it stood")
    }

    @Test("Completing a head outside the table is refused")
    func completeOutOfRange() throws {
        let queue = try MockQueue(MockMemory(), size: 8).deviceQueue()
        #expect(throws: VirtioError.descriptorIndex(8, size: 8)) { try queue.complete(8, byteCount: 0) }
    }
}

@Suite("Notifications")
struct NotificationTests {
    @Test("Without event indices the flags decide")
    func flags() throws {
        let driver = try MockQueue(MockMemory(), size: 8)
        let queue = try driver.deviceQueue()
        queue.disableKicks()
        try driver.add(readable: [[1]])
        #expect(try !driver.notify())
        #expect(queue.enableKicks(), "a request came meanwhile")
        let first = try #require(try queue.next())
        #expect(!queue.enableKicks())
        try driver.add(readable: [[2]])
        #expect(try driver.notify())
        #expect(driver.kickDrained() == true)

        try queue.complete(first.head, byteCount: 0)
        queue.notify()
        #expect(driver.callDrained() == true)
        // VIRTQ_AVAIL_F_NO_INTERRUPT
        try driver.available.store(UInt16(1), at: 0)
        queue.notify()
        #expect(driver.callDrained() == false)
    }

    @Test("With event indices only the crossing of the index wakes")
    func eventIndex() throws {
        let driver = try MockQueue(MockMemory(), size: 8, features: MockDriver.usualFeatures)
        let queue = try driver.deviceQueue()
        #expect(!queue.enableKicks())
        try driver.add(readable: [[1]])
        #expect(try driver.notify())
        try driver.add(readable: [[2]])
        #expect(try !driver.notify(), "the device was woken already")
        // Interrupt at the second used entry.
        try driver.available.store(UInt16(1), at: 4 + 2 * 8)
        try queue.complete(try #require(try queue.next()).head, byteCount: 0)
        queue.notify()
        #expect(driver.callDrained() == false)
        try queue.complete(try #require(try queue.next()).head, byteCount: 0)
        queue.notify()
        #expect(driver.callDrained() == true)
    }

    @Test("The call can be routed elsewhere while the queue is in use")
    func replaceCall() throws {
        let driver = try MockQueue(MockMemory(), size: 8)
        let queue = try driver.deviceQueue()
        let other = try EventFD()
        try queue.replaceCall(with: other.descriptor)
        queue.notify()
        let isHeard = other.drain()
        #expect(isHeard)
        #expect(driver.callDrained() == false)
    }
}

extension MockQueue {
    /// Whether the descriptor was signalled since the last look: an expectation cannot hold one itself.
    func kickDrained() -> Bool { kick.drain() }
    func callDrained() -> Bool { call.drain() }
}
