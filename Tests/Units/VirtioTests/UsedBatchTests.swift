// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import TestSupport
import Testing
import Virtio

@Suite("Virtio: used batches") struct UsedBatchTests {
    @Test("A batch of used entries becomes visible to the driver at once")
    func allAreSeenAtOnce() throws {
        let memory = try MockMemory()
        let driver = try MockQueue(memory, size: 4)
        let queue = try driver.deviceQueue()
        // Around the ring, which a batch may cross the end of.
        for round in 0..<5 {
            for _ in 0..<3 { try driver.add(writable: [8]) }
            var heads: [UInt16] = []
            while let chain = try queue.next() { heads.append(chain.head) }
            #expect(heads.count == 3)
            for (index, head) in heads.enumerated() {
                try queue.prepareUsed(head, byteCount: UInt32(round * 10 + index), at: UInt16(index))
                #expect(try driver.takeUsed()?.head == nil)
            }
            try queue.publishUsed(3)
            for (index, head) in heads.enumerated() {
                let next = try driver.takeUsed()
                let used = try #require(next)
                #expect(used.head == head)
                #expect(used.byteCount == round * 10 + index)
            }
            #expect(try driver.takeUsed()?.head == nil)
        }
    }

    @Test("A used entry with a head or place outside the queue is refused")
    func heldToTheQueue() throws {
        let driver = try MockQueue(MockMemory(), size: 4)
        let queue = try driver.deviceQueue()
        #expect(throws: VirtioError.descriptorIndex(4, size: 4)) {
            try queue.prepareUsed(4, byteCount: 0, at: 0)
        }
        #expect(throws: VirtioError.descriptorIndex(0, size: 4)) {
            try queue.prepareUsed(0, byteCount: 0, at: 4)
        }
    }
}
