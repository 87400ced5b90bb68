// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import TestSupport
import Testing
import Virtio

/// What a hostile driver may write into its rings. Each is an error that names what is wrong, and never a hang,
/// a crash or an access outside the guest's memory.
@Suite("Malformed chains")
struct MalformedChainTests {
    let memory: MockMemory
    let driver: MockQueue
    let queue: Virtqueue
    let buffer: MockMemory.Buffer
    var address: UInt64 { buffer.address.rawValue }

    init() throws {
        memory = try MockMemory(byteCount: 1 << 20)
        driver = try MockQueue(memory, size: 8, features: MockDriver.usualFeatures)
        queue = try driver.deviceQueue()
        buffer = try memory.allocate(256)
    }

    func expect(_ error: VirtioError, head: UInt16 = 0, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try driver.offer(head)
        #expect(throws: error, sourceLocation: sourceLocation) { try queue.next() }
        // The chain is taken; the queue itself goes on.
        #expect(try queue.next() == nil, sourceLocation: sourceLocation)
    }

    @Test("A chain that loops is refused as too long")
    func loops() throws {
        try driver.describe(0, address: address, byteCount: 16, flags: 1, next: 0)
        try expect(.chainTooLong(head: 0))
        for index: UInt16 in 0..<8 {
            try driver.describe(index, address: address, byteCount: 16, flags: 1, next: (index + 1) % 8)
        }
        try expect(.chainTooLong(head: 5), head: 5)
    }

    @Test("A head or next index outside the table is refused", arguments: [8, 9, 0x7fff, 0xffff] as [UInt16])
    func indices(index: UInt16) throws {
        try expect(.descriptorIndex(index, size: 8), head: index)
        try driver.describe(3, address: address, byteCount: 16, flags: 1, next: index)
        try expect(.descriptorIndex(index, size: 8), head: 3)
    }

    @Test("A buffer that is not wholly inside the guest's memory is refused")
    func buffers() throws {
        let end = memory.piece.start.rawValue + memory.piece.byteCount
        for (start, count) in [
            (0, 16), (memory.piece.start.rawValue - 1, 16), (end, 1), (end - 15, 16), (UInt64.max, 1),
            (UInt64.max - 8, 16), (address, UInt32.max), (1 << 63, 4096),
        ] as [(UInt64, UInt32)] {
            try driver.describe(0, address: start, byteCount: count, flags: 2)
            try expect(
                .buffer(
                    head: 0, .outOfBounds(address: GuestAddress(rawValue: start), byteCount: UInt64(count))))
        }
        // The last byte is the guest's all the same.
        try driver.describe(0, address: end - 1, byteCount: 1, flags: 2)
        try driver.offer(0)
        #expect(try queue.next()?.writable.map(\.count) == [1])
    }

    @Test("Empty descriptors are skipped wherever they point, and an empty indirect table is refused")
    func empty() throws {
        try driver.describe(0, address: .max, byteCount: 0, flags: 1, next: 1)
        try driver.describe(1, address: address, byteCount: 4, flags: 1, next: 2)
        try driver.describe(2, address: 0, byteCount: 0, flags: 2 | 1, next: 3)
        try driver.describe(3, address: address, byteCount: 8, flags: 2)
        try driver.offer(0)
        let chain = try #require(try queue.next())
        #expect(chain.readable.map(\.count) == [4] && chain.writable.map(\.count) == [8])

        try driver.describe(0, address: 0, byteCount: 0, flags: 0)
        try driver.offer(0)
        let nothing = try #require(try queue.next())
        #expect(nothing.readable.isEmpty && nothing.writable.isEmpty)

        for index: UInt16 in 0..<8 {
            try driver.describe(index, address: 0, byteCount: 0, flags: 1, next: (index + 1) % 8)
        }
        try expect(.chainTooLong(head: 0))
        try driver.describe(0, address: address, byteCount: 0, flags: 4)
        try expect(.indirectTable(head: 0))
    }

    @Test("A readable buffer after a writable one is refused")
    func order() throws {
        try driver.describe(0, address: address, byteCount: 16, flags: 2 | 1, next: 1)
        try driver.describe(1, address: address, byteCount: 16, flags: 0)
        try expect(.descriptorOrder(head: 0))
    }

    @Test("Indirect tables that are cut off, nested, looping, outside memory or not agreed on are refused")
    func indirect() throws {
        let table = try memory.allocate(64)
        let start = table.address.rawValue
        for count: UInt32 in [1, 15, 17, 63] {
            try driver.describe(0, address: start, byteCount: count, flags: 4)
            try expect(.indirectTable(head: 0))
        }
        try driver.describe(0, address: start, byteCount: 64, flags: 4 | 1, next: 1)
        try expect(.indirectTable(head: 0))
        try driver.describe(0, address: start, byteCount: 0xffff_fff0, flags: 4)
        try expect(
            .buffer(head: 0, .outOfBounds(address: table.address, byteCount: 0xffff_fff0)))

        try driver.describe(0, address: start, byteCount: 64, flags: 4)
        try MockQueue.describe(in: table.slice, 0, address: start, byteCount: 64, flags: 4)
        try expect(.indirectTable(head: 0))
        try MockQueue.describe(in: table.slice, 0, address: address, byteCount: 16, flags: 1, next: 0)
        try expect(.chainTooLong(head: 0))
        try MockQueue.describe(in: table.slice, 0, address: address, byteCount: 16, flags: 1, next: 4)
        try expect(.descriptorIndex(4, size: 4))

        let plain = try MockQueue(memory, size: 8)
        try plain.add(readable: [[1]], indirect: true)
        let plainQueue = try plain.deviceQueue()
        #expect(throws: VirtioError.indirectTable(head: 0)) { try plainQueue.next() }
    }

    @Test("Descriptors before an indirect table count with it; the table's WRITE flag says nothing")
    func mixed() throws {
        let table = try memory.allocate(32)
        try driver.describe(0, address: address, byteCount: 16, flags: 1, next: 1)
        try driver.describe(1, address: table.address.rawValue, byteCount: 32, flags: 4 | 2)
        try MockQueue.describe(in: table.slice, 0, address: address, byteCount: 8, flags: 1, next: 1)
        try MockQueue.describe(in: table.slice, 1, address: address, byteCount: 4, flags: 2)
        try driver.offer(0)
        let chain = try #require(try queue.next())
        #expect(chain.readable.map(\.count) == [16, 8])
        #expect(chain.writable.map(\.count) == [4])
    }

    @Test("A chain of too many descriptors, or of 2^32 bytes, is refused")
    func tooMuch() throws {
        let table = try memory.allocate(16 * 2000)
        for index: UInt16 in 0..<2000 {
            try MockQueue.describe(
                in: table.slice, index, address: address, byteCount: 1, flags: index == 1999 ? 0 : 1, next: index + 1)
        }
        try driver.describe(0, address: table.address.rawValue, byteCount: 16 * 2000, flags: 4)
        try expect(.chainTooLong(head: 0))

        let large = try MockMemory(byteCount: 64 << 20)
        let second = try MockQueue(large, size: 128)
        for index: UInt16 in 0..<128 {
            try second.describe(
                index, address: large.piece.start.rawValue, byteCount: 64 << 20, flags: index == 127 ? 2 : 3,
                next: index + 1)
        }
        let secondQueue = try second.deviceQueue()
        try second.offer(0)
        #expect(throws: VirtioError.chainTooLong(head: 0)) { try secondQueue.next() }
    }

    @Test("An available index that claims more requests than the ring holds is refused")
    func availableIndex() throws {
        try driver.claimAvailable(9)
        #expect(throws: VirtioError.availableIndex(distance: 9, size: 8)) { try queue.next() }
        try driver.claimAvailable(0xffff)
        #expect(throws: VirtioError.availableIndex(distance: 0xffff, size: 8)) { try queue.next() }
    }

    @Test("Queues of impossible size, alignment or place are refused")
    func layouts() throws {
        func make(_ change: (inout Virtqueue.Layout) -> Void) throws {
            var layout = driver.layout
            change(&layout)
            _ = try Virtqueue(memory: memory.guest, layout: layout, features: 0, kick: EventFD(), call: EventFD())
        }
        try make { _ in }
        for size: UInt16 in [0, 3, 7, 6, 0xffff, 32769] {
            #expect(throws: VirtioError.queueSize(UInt32(size))) { try make { $0.size = size } }
        }
        let start = driver.layout.descriptors.rawValue
        for (address, change): (UInt64, (inout Virtqueue.Layout, GuestAddress) -> Void) in [
            (start + 8, { $0.descriptors = $1 }), (start + 1, { $0.available = $1 }), (start + 2, { $0.used = $1 }),
        ] {
            let address = GuestAddress(rawValue: address)
            #expect(throws: VirtioError.ringAlignment(address)) { try make { change(&$0, address) } }
        }
        let end = memory.piece.start.rawValue + memory.piece.byteCount
        #expect(
            throws: VirtioError.ring(
                .outOfBounds(address: GuestAddress(rawValue: end - 64), byteCount: 128))
        ) { try make { $0.descriptors = GuestAddress(rawValue: end - 64) } }
        #expect(throws: VirtioError.ring(.outOfBounds(address: GuestAddress(rawValue: .max - 1), byteCount: 70))) {
            try make { $0.used = GuestAddress(rawValue: .max - 1) }
        }
    }

    @Test("A used index that the driver rewrites changes nothing for the device")
    func rewrittenAfterwards() throws {
        // The layout is a value the queue took; what can still change is what lies in the rings.
        try driver.add(readable: [[1]])
        try driver.used.store(UInt16(0x1234), at: 2)
        let chain = try #require(try queue.next())
        try queue.complete(chain.head, byteCount: 7)
        #expect(try driver.used.load(UInt16.self, at: 2) == 1)
    }

    @Test("Random rings give an error or a chain inside the guest's memory")
    func random() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            for index: UInt16 in 0..<8 {
                try driver.describe(
                    index, address: address + UInt64.random(in: 0..<512, using: &generator),
                    byteCount: UInt32.random(in: 0..<300, using: &generator),
                    flags: UInt16.random(in: 0..<8, using: &generator),
                    next: UInt16.random(in: 0..<10, using: &generator))
            }
            try driver.offer(UInt16.random(in: 0..<9, using: &generator))
            guard let chain = try? queue.next() else { continue }
            for slice in chain.readable + chain.writable {
                #expect(slice.count > 0 && slice.bytes().count == slice.count)
            }
        }
    }
}
