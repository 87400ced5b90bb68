// SPDX-License-Identifier: Apache-2.0
import Balloon
import GuestMemory
import Linux
import TestSupport
import Testing
import Virtio

@Suite("The balloon device, with a hostile driver")
struct HostileTests {
    @Test("Pages outside guest memory are refused, and a repeated page counts once")
    func pagesThatTheGuestDoesNotHave() throws {
        let guest = try Guest()
        let buffer = try guest.pages(2)
        let own = Guest.number(buffer, page: 0)
        // Below, far above, and at the two ends of its memory, 16 MiB from 1 GiB on.
        try guest.give([0, 1, .max, .max - 1, 0x3ffff, 0x41000, own, own, own])
        #expect(guest.metric("refused_pages") == 6)
        #expect(guest.metric("inflated_pages") == 1, "a page given three times is one")
        #expect(try !guest.isHeld(buffer, page: 0) && guest.isHeld(buffer, page: 1))
        #expect(!guest.hasFailed)
    }

    @Test("Inflating more than all of guest memory discards at most all of it")
    func everythingThereIs() throws {
        let guest = try Guest()
        _ = try guest.pages(16)
        // All of its memory and more around, rings included: whatever it does to itself, the host goes on.
        try guest.inflate.add(readable: [Guest.bytes((0x3ff00..<0x41100).map { $0 })])
        try guest.inflate.notify()
        for _ in 0..<500 where guest.metric("inflated_pages") == 0 { SystemTime.sleep(milliseconds: 10) }
        #expect(try #require(guest.metric("inflated_pages")) <= 4096)
        #expect(guest.metric("failed_discards") == 0)
    }

    @Test("Only the first 4096 page numbers of a chain are read")
    func moreNumbersThanAnyDriverGives() throws {
        let guest = try Guest()
        let buffer = try guest.pages(2)
        // 1 MiB of numbers; the first 4096 are read.
        let numbers =
            [UInt32](repeating: Guest.number(buffer, page: 0), count: 4096)
            + [UInt32](repeating: Guest.number(buffer, page: 1), count: 262_144 - 4096)
        try guest.give(numbers)
        #expect(guest.metric("inflated_pages") == 1)
        #expect(try !guest.isHeld(buffer, page: 0) && guest.isHeld(buffer, page: 1))
    }

    @Test("A page number may span buffers, and an incomplete one at the end is ignored")
    func numbersInPieces() throws {
        let guest = try Guest()
        let buffer = try guest.pages(2)
        let bytes = Guest.bytes([Guest.number(buffer, page: 0), Guest.number(buffer, page: 1)])
        // A number across two buffers, and half a one at the end, which counts for nothing.
        try guest.inflate.add(readable: [Array(bytes[..<3]), Array(bytes[3..<7])], writable: [16])
        try guest.inflate.notify()
        #expect(try guest.inflate.waitUsed().byteCount == 0)
        #expect(guest.metric("inflated_pages") == 1)
        #expect(try !guest.isHeld(buffer, page: 0) && guest.isHeld(buffer, page: 1))
    }

    @Test("Chains without a whole page or number are returned and change nothing")
    func chainsWithNothingInThem() throws {
        let guest = try Guest()
        for queue in [guest.inflate, guest.deflate, guest.reporting] {
            try queue.add(readable: [[1, 2, 3]])
            try queue.add(writable: [3])
            try queue.notify()
            for _ in 0..<2 { #expect(try queue.waitUsed().byteCount == 0) }
        }
        #expect(guest.metric("inflated_pages") == 0 && guest.metric("reported_bytes") == 0)
        #expect(!guest.hasFailed)
    }

    @Test("At most 64 statistics are read, and unrequested buffers wait")
    func statisticsWithoutAnEnd() throws {
        let guest = try Guest()
        // 64 entries are read; free memory stands behind them. Then buffers that nobody asked for.
        var bytes: [UInt8] = []
        for _ in 0..<64 { bytes += [5, 0, 1, 0, 0, 0, 0, 0, 0, 0] }
        bytes += [4, 0, 1, 0, 0, 0, 0, 0, 0, 0]
        try guest.statistics.add(readable: [bytes + [UInt8](repeating: 0, count: 1 << 20)])
        for _ in 0..<10 { try guest.statistics.add(readable: [[]]) }
        try guest.statistics.notify()
        for _ in 0..<500 where guest.device.statistics[.totalBytes] == nil { SystemTime.sleep(milliseconds: 10) }
        #expect(guest.device.statistics[.totalBytes] == 1)
        #expect(guest.device.statistics[.freeBytes] == nil)
        #expect(try guest.statistics.takeUsed() == nil, "one is kept, the others wait")
    }

    @Test("A report beyond guest memory breaks the device")
    func reportsBeyondTheMemoryBreakTheDevice() throws {
        let guest = try Guest()
        try guest.reporting.describe(0, address: 0x4000_0000, byteCount: (16 << 20) + 4096, flags: 2)
        try guest.reporting.offer(0)
        try guest.reporting.notify()
        let failure = try guest.failure()
        guard case .buffer(head: 0, _) = failure else { throw failure }
        #expect(guest.metric("reported_bytes") == 0)
    }

    @Test("Activation without the inflate or the deflate queue fails")
    func withoutTheQueuesItCannotDoWithout() throws {
        let served = try ServedLoop()
        let device = try BalloonDevice(loop: served.loop)
        let memory = try MockMemory()
        let queue = try MockQueue(memory, size: 16)
        #expect(throws: VirtioError.queueMissing(1)) {
            try device.activate(
                VirtioActivation(memory: memory.guest, features: Guest.features, queues: [queue.deviceQueue()]))
        }
        #expect(throws: VirtioError.queueMissing(0)) {
            try device.activate(VirtioActivation(memory: memory.guest, features: Guest.features, queues: []))
        }
    }
}
