// SPDX-License-Identifier: Apache-2.0
import Block
import Linux
import TestSupport
import Testing
import Virtio

/// What the guest asks, with io_uring and without.
@Suite struct RequestTests {
    static let ways = [true, false]

    static func bytes(_ count: Int, from first: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: Int(first) &+ $0 &* 7 &+ $0 / 256) }
    }

    @Test("The device uses io_uring where the host has it, unless it is turned off")
    func ioUringIsTakenWhereItIs() throws {
        let driver = try DiskDriver(try Disk(try DiskFile.memory(sectors: 1), isReadOnly: true))
        let direct = try DiskDriver(try Disk(try DiskFile.memory(sectors: 1), isReadOnly: true), usesRing: false)
        let file = try DiskFile.memory(sectors: 1)
        #expect(driver.device.usesRing == ((try? IORing(on: file, entryCount: 8)) != nil))
        #expect(!direct.device.usesRing)
    }

    @Test("Reads and writes reach the sectors they address and are counted", arguments: ways)
    func readsAndWritesWhereItShould(usesRing: Bool) throws {
        let file = try DiskFile.onDisk(sectors: 64)
        let driver = try DiskDriver(try Disk(try file.duplicate(), isReadOnly: false), usesRing: usesRing)
        #expect(try driver.read(7, 512).bytes == [UInt8](repeating: 7, count: 512))
        let data = Self.bytes(2048)
        #expect(try driver.write(10, data) == .done)
        #expect(try driver.read(10, 2048).bytes == data)
        #expect(try DiskFile.sector(11, of: file) == Array(data[512..<1024]))
        #expect(try DiskFile.sector(14, of: file) == [UInt8](repeating: 14, count: 512))
        #expect(try driver.read(63, 512).status == 0)
        #expect(try driver.flush() == .done)
        #expect(driver.metric("reads") == 3)
        #expect(driver.metric("read_bytes") == 3072)
        #expect(driver.metric("writes") == 1)
        #expect(driver.metric("written_bytes") == 2048)
        #expect(driver.metric("flushes") == 1)
        #expect(driver.metric("failures") == 0)
    }

    @Test("A request may be cut into buffers at any byte", arguments: ways)
    func takesAnyCutOfARequest(usesRing: Bool) throws {
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 64), isReadOnly: false), usesRing: usesRing)
        let data = Self.bytes(1536, from: 90)
        // The header in three pieces, the data in uneven ones, the status behind data in one buffer.
        let header = DiskDriver.header(1, 3)
        try driver.queue.add(
            readable: [
                Array(header[0..<5]), Array(header[5..<6]), Array(header[6...]) + Array(data[0..<1]),
                Array(data[1..<700]), Array(data[700...]),
            ], writable: [1])
        try driver.queue.notify()
        #expect(driver.answer(try driver.queue.waitUsed()) == .done)
        try driver.queue.add(readable: [DiskDriver.header(0, 3)], writable: [1, 1000, 535 + 1])
        try driver.queue.notify()
        #expect(driver.answer(try driver.queue.waitUsed()) == DiskDriver.Answer(status: 0, bytes: data))
        let answer = try driver.run(0, 3, in: [512, 512, 512], indirect: true)
        #expect(answer.bytes == data)
    }

    @Test("Eighty requests at a time complete with the right data", arguments: ways)
    func manyAtOnce(usesRing: Bool) throws {
        let file = try DiskFile.onDisk(sectors: 4096)
        let driver = try DiskDriver(try Disk(try file.duplicate(), isReadOnly: false), usesRing: usesRing)
        for round in 0..<8 {
            var expected: [UInt16: (UInt64, Bool)] = [:]
            for index in 0..<80 {
                let sector = UInt64(round * 512 + index * 4)
                let isWrite = index % 3 == 0
                let head =
                    isWrite
                    ? try driver.add(1, sector, out: [[UInt8](repeating: 0xaa, count: 1024)])
                    : try driver.add(0, sector, in: [512])
                expected[head] = (sector, isWrite)
            }
            try driver.queue.notify()
            while !expected.isEmpty {
                let used = try driver.queue.waitUsed()
                let known = expected.removeValue(forKey: used.head)
                let (sector, isWrite) = try #require(known)
                let answer = driver.answer(used)
                #expect(answer.status == 0)
                if !isWrite {
                    #expect(answer.bytes == [UInt8](repeating: UInt8(truncatingIfNeeded: sector), count: 512))
                }
            }
        }
        #expect(try DiskFile.sector(12, of: file) == [UInt8](repeating: 0xaa, count: 512))
        #expect(driver.metric("failures") == 0)
    }

    @Test("GET_ID returns the identifier padded to 20 bytes and needs that much room", arguments: ways)
    func identifies(usesRing: Bool) throws {
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 1), isReadOnly: true), usesRing: usesRing, identifier: "vol-17")
        #expect(
            try driver.run(8, in: [20])
                == .init(status: 0, bytes: Array("vol-17".utf8) + [UInt8](repeating: 0, count: 14)))
        #expect(try driver.run(8, in: [7, 13]).bytes.prefix(7) == Array("vol-17".utf8) + [0])
        #expect(try driver.run(8, in: [19]).status == 1)
    }

    @Test("Discard and write zeroes clear exactly their range", arguments: ways)
    func discardsAndZeroes(usesRing: Bool) throws {
        let file = try DiskFile.onDisk(sectors: 256)
        let driver = try DiskDriver(try Disk(try file.duplicate(), isReadOnly: false), usesRing: usesRing)
        let zeroes = [UInt8](repeating: 0, count: 512)
        try #require(driver.features & 1 << 13 != 0, "no holes in files of /var/tmp")
        #expect(try driver.run(11, out: [DiskDriver.range(8, 8)]) == .done)
        #expect(try DiskFile.sector(8, of: file) == zeroes)
        #expect(try DiskFile.sector(15, of: file) == zeroes)
        #expect(try DiskFile.sector(16, of: file) == [UInt8](repeating: 16, count: 512))
        #expect(try driver.run(13, out: [DiskDriver.range(32, 8, flags: 1)]) == .done)
        #expect(try DiskFile.sector(39, of: file) == zeroes)
        let plain = try driver.run(13, out: [DiskDriver.range(64, 1)])
        // A file system may not know how; then the guest writes them itself.
        #expect(plain == .done || plain == .unsupported)
        if plain == .done { #expect(try DiskFile.sector(64, of: file) == zeroes) }
        #expect(try driver.read(0, 512).status == 0)
        // The size stays.
        #expect(try driver.run(13, out: [DiskDriver.range(255, 1, flags: 1)]) == .done)
        #expect(try driver.read(255, 512).bytes == zeroes)
    }

    @Test("Malformed discard and write zeroes ranges fail and change nothing", arguments: ways)
    func whatIsWrongWithDiscards(usesRing: Bool) throws {
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 256), isReadOnly: false), usesRing: usesRing)
        try #require(driver.features & 1 << 13 != 0)
        let wrong: [[UInt8]] = [
            [], DiskDriver.range(0, 0), DiskDriver.range(256, 1), DiskDriver.range(255, 2),
            DiskDriver.range(.max, 1), DiskDriver.range(.max - 3, 8), DiskDriver.range(0, .max),
            DiskDriver.range(0, 1) + DiskDriver.range(1, 1), Array(DiskDriver.range(0, 1).dropLast()),
        ]
        for bytes in wrong {
            for type: UInt32 in [11, 13] {
                #expect(try driver.run(type, out: bytes.isEmpty ? [] : [bytes]) == .failed)
            }
        }
        #expect(try driver.run(11, out: [DiskDriver.range(0, 1, flags: 1)]) == .unsupported)
        #expect(try driver.run(11, out: [DiskDriver.range(0, 1, flags: 2)]) == .unsupported)
        #expect(try driver.run(13, out: [DiskDriver.range(0, 1, flags: 1 << 31)]) == .unsupported)
        #expect(try driver.read(0, 512).bytes == [UInt8](repeating: 0, count: 512))
        #expect(try driver.read(255, 512).bytes == [UInt8](repeating: 255, count: 512))
    }

    @Test("Requests beyond the disk or of partial sectors fail and are counted", arguments: ways)
    func whatIsNotOnTheDisk(usesRing: Bool) throws {
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 8), isReadOnly: false), usesRing: usesRing)
        let sector = [UInt8](repeating: 9, count: 512)
        for first: UInt64 in [8, 9, .max, .max - 7, 1 << 55, 1 << 63, (1 << 55) - 1] {
            #expect(try driver.read(first, 512).status == 1)
            #expect(try driver.write(first, sector) == .failed)
        }
        #expect(try driver.read(7, 1024).status == 1)
        #expect(try driver.write(7, sector, sector) == .failed)
        // Lengths that are none.
        for count in [1, 511, 513] {
            #expect(try driver.read(0, count).status == 1)
            #expect(try driver.write(0, [UInt8](repeating: 1, count: count)) == .failed)
        }
        #expect(try driver.run(0) == .failed)
        #expect(try driver.run(1) == .failed)
        #expect(try driver.read(7, 512).status == 0)
        #expect(driver.metric("failures") == 24)
    }

    @Test("Unknown and unnegotiated request types are answered as unsupported", arguments: ways)
    func unknownTypesAreUnsupported(usesRing: Bool) throws {
        let driver = try DiskDriver(try Disk(try DiskFile.memory(sectors: 8), isReadOnly: false), usesRing: usesRing)
        for type: UInt32 in [2, 3, 5, 6, 7, 9, 10, 12, 14, 0x8000_0000, .max] {
            #expect(try driver.run(type, in: [512]).status == 2)
        }
        // What was not agreed on is unknown as well.
        let plain = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 8), isReadOnly: false), usesRing: usesRing,
            features: VirtioFeature.version1)
        #expect(try plain.run(11, out: [DiskDriver.range(0, 1)]) == .unsupported)
        #expect(try plain.run(13, out: [DiskDriver.range(0, 1)]) == .unsupported)
        #expect(try plain.write(0, [UInt8](repeating: 5, count: 512)) == .done)
        #expect(try plain.read(0, 512).bytes == [UInt8](repeating: 5, count: 512))
    }

    @Test("A read-only disk refuses writes, discards and write zeroes", arguments: ways)
    func aReadOnlyDiskIsNeverWritten(usesRing: Bool) throws {
        let file = try DiskFile.memory(sectors: 8)
        let driver = try DiskDriver(try Disk(try file.duplicate(), isReadOnly: true), usesRing: usesRing)
        #expect(try driver.write(1, [UInt8](repeating: 0xff, count: 512)) == .failed)
        #expect(try driver.run(11, out: [DiskDriver.range(1, 1)]) == .unsupported)
        #expect(try driver.run(13, out: [DiskDriver.range(1, 1)]) == .unsupported)
        #expect(try driver.flush() == .done)
        #expect(try DiskFile.sector(1, of: file) == [UInt8](repeating: 1, count: 512))
        // A driver that claims to have been offered the features gets no further.
        #expect(try driver.read(1, 512).bytes == [UInt8](repeating: 1, count: 512))
    }

    @Test("A request with a short header fails", arguments: ways)
    func aShortHeaderFails(usesRing: Bool) throws {
        let driver = try DiskDriver(try Disk(try DiskFile.memory(sectors: 8), isReadOnly: true), usesRing: usesRing)
        for count in [1, 8, 15] {
            try driver.queue.add(readable: [[UInt8](repeating: 0, count: count)], writable: [512, 1])
            try driver.queue.notify()
            #expect(driver.answer(try driver.queue.waitUsed()).status == 1)
        }
        try driver.queue.add(readable: [], writable: [513])
        try driver.queue.notify()
        #expect(driver.answer(try driver.queue.waitUsed()).status == 1)
    }

    @Test("A request with more buffers than the limit fails", arguments: ways)
    func moreBuffersThanToldFail(usesRing: Bool) throws {
        let driver = try DiskDriver(
            try Disk(try DiskFile.memory(sectors: 64), isReadOnly: true), usesRing: usesRing)
        #expect(try driver.run(0, 0, in: [Int](repeating: 64, count: 256), indirect: true).status == 0)
        #expect(try driver.run(0, 0, in: [Int](repeating: 64, count: 264), indirect: true).status == 1)
        #expect(try driver.read(5, 512).bytes == [UInt8](repeating: 5, count: 512))
    }
}
