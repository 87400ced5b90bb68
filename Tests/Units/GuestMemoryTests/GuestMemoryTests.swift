// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux
import TestSupport
import Testing

@Suite("Guest memory")
final class GuestMemoryTests {
    let file: FileDescriptor

    init() throws {
        file = try FileDescriptor.memory(named: "guest")
        let result = ftruncate(file.rawValue, 64 << 10)
        #expect(result == 0)
    }

    func piece(_ start: UInt64, _ byteCount: UInt64, offset: UInt64 = 0, frontEnd: UInt64 = 0) -> GuestMemory.Piece {
        GuestMemory.Piece(
            start: GuestAddress(rawValue: start), byteCount: byteCount, file: file.borrowed, offset: offset,
            frontEndStart: frontEnd)
    }

    @Test("Addresses are found in their region and nowhere else")
    func lookup() throws {
        let memory = try GuestMemory([piece(0x8000, 0x1000, offset: 0x2000), piece(0x1000, 0x2000)])
        try memory.slice(at: GuestAddress(rawValue: 0x8004), byteCount: 4).store(UInt32(0x11223344), at: 0)
        // The same bytes through another mapping of the file.
        let whole = try GuestMemory([piece(0, 0x10000)])
        #expect(
            try whole.slice(at: GuestAddress(rawValue: 0x2004), byteCount: 4).load(UInt32.self, at: 0) == 0x11223344)

        #expect(try memory.slice(at: GuestAddress(rawValue: 0x1000), byteCount: 0x2000).count == 0x2000)
        for (address, count) in [
            (0, 1), (0xfff, 1), (0xfff, 2), (0x1000, 0x2001), (0x2fff, 2), (0x3000, 1), (0x3000, 0x6000), (0x9000, 1),
            (0x8fff, UInt64.max), (.max, 1), (0x8000, 1 << 63),
        ] as [(UInt64, UInt64)] {
            let address = GuestAddress(rawValue: address)
            #expect(throws: GuestMemoryError.outOfBounds(address: address, byteCount: count)) {
                try memory.slice(at: address, byteCount: count)
            }
        }
    }

    @Test("Region tables that overlap, wrap or are empty are refused")
    func tables() throws {
        func refused(_ pieces: [GuestMemory.Piece], start: UInt64, byteCount: UInt64) {
            #expect(throws: GuestMemoryError.badRegion(start: GuestAddress(rawValue: start), byteCount: byteCount)) {
                try GuestMemory(pieces)
            }
        }
        refused([piece(0x1000, 0)], start: 0x1000, byteCount: 0)
        refused([piece(0x1000, 0x1000), piece(0x1fff, 0x1000)], start: 0x1fff, byteCount: 0x1000)
        refused([piece(0x1000, 0x1000), piece(0x1000, 0x1000)], start: 0x1000, byteCount: 0x1000)
        refused([piece(.max - 0xfff, 0x1000)], start: .max - 0xfff, byteCount: 0x1000)
        refused([piece(0, .max)], start: 0, byteCount: .max)
        refused([piece(0, 0x1000, offset: .max - 0x100)], start: 0, byteCount: 0x1000)
        _ = try GuestMemory([piece(0x1000, 0x1000), piece(0x2000, 0x1000)])
    }

    @Test("A file shorter than its region, or of the wrong kind, is refused")
    func shortFiles() throws {
        func refused(_ file: BorrowedDescriptor, _ byteCount: UInt64, offset: UInt64 = 0) {
            #expect(throws: GuestMemoryError.fileTooShort(start: GuestAddress(rawValue: 0), byteCount: byteCount)) {
                try GuestMemory([
                    GuestMemory.Piece(
                        start: GuestAddress(rawValue: 0), byteCount: byteCount, file: file, offset: offset)
                ])
            }
        }
        refused(file.borrowed, 0x10001)
        refused(file.borrowed, 0x1000, offset: 0xf001)
        let pipe = try FileDescriptor.pipe()
        refused(pipe.reader.borrowed, 0x1000)
        let zero = try FileDescriptor.open("/dev/zero", .readWrite)
        refused(zero.borrowed, 0x1000)
        let nothing = BorrowedDescriptor(rawValue: -1)
        #expect(throws: GuestMemoryError.map(start: GuestAddress(rawValue: 0), byteCount: 0x1000, .badFileDescriptor)) {
            try GuestMemory([GuestMemory.Piece(start: GuestAddress(rawValue: 0), byteCount: 0x1000, file: nothing)])
        }
        let readOnly = try FileDescriptor.open("/proc/self/exe")
        #expect(throws: GuestMemoryError.map(start: GuestAddress(rawValue: 0), byteCount: 0x1000, .permissionDenied)) {
            try GuestMemory([
                GuestMemory.Piece(start: GuestAddress(rawValue: 0), byteCount: 0x1000, file: readOnly.borrowed)
            ])
        }
    }

    @Test("Adding or removing a region leaves the others as they are")
    func changes() throws {
        let first = try GuestMemory([piece(0x1000, 0x1000, frontEnd: 0x7000)])
        let second = try first.adding(piece(0x4000, 0x1000, offset: 0x1000, frontEnd: 0x9000))
        #expect(second.regionCount == 2 && first.regionCount == 1)
        #expect(throws: GuestMemoryError.badRegion(start: GuestAddress(rawValue: 0x4800), byteCount: 0x1000)) {
            try second.adding(piece(0x4800, 0x1000))
        }
        let start = GuestAddress(rawValue: 0x1000)
        #expect(second.removing(start: start, byteCount: 0x1000, frontEndStart: 0x7001) == nil)
        let third = try #require(second.removing(start: start, byteCount: 0x1000, frontEndStart: 0x7000))
        #expect(throws: GuestMemoryError.outOfBounds(address: start, byteCount: 1)) {
            try third.slice(at: start, byteCount: 1)
        }
        #expect(try third.slice(at: GuestAddress(rawValue: 0x4000), byteCount: 0x1000).count == 0x1000)
        #expect(third.guestAddress(ofFrontEnd: 0x9010) == GuestAddress(rawValue: 0x4010))
        #expect(third.guestAddress(ofFrontEnd: 0xa000) == nil)
        #expect(third.guestAddress(ofFrontEnd: 0x8fff) == nil)
    }

    @Test("Memory is unmapped when its last owner is gone")
    func unmapping() throws {
        func mapped() throws -> Bool {
            let maps = try FileDescriptor.open("/proc/self/maps").readAll(limit: 16 << 20)
            return String(decoding: maps, as: UTF8.self).contains("memfd:short-lived")
        }
        let file = try FileDescriptor.memory(named: "short-lived")
        let result = ftruncate(file.rawValue, 4096)
        #expect(result == 0)
        var memory: GuestMemory? = try GuestMemory([
            GuestMemory.Piece(start: GuestAddress(rawValue: 0), byteCount: 4096, file: file.borrowed)
        ])
        #expect(try mapped())
        #expect(memory?.regionCount == 1)
        memory = nil
        #expect(try !mapped())
    }
}

@Suite("Guest slice")
struct GuestSliceTests {
    let memory: MockMemory
    let slice: GuestSlice

    init() throws {
        memory = try MockMemory(byteCount: 1 << 16)
        slice = try memory.allocate(16).slice
    }

    @Test("Access past either end of a slice throws and touches nothing")
    func bounds() throws {
        for offset in [-1, 9, 16, 17, Int.max, Int.min] {
            #expect(throws: GuestMemoryError.outsideSlice(offset: offset, byteCount: 8, count: 16)) {
                try slice.load(UInt64.self, at: offset)
            }
            #expect(throws: GuestMemoryError.outsideSlice(offset: offset, byteCount: 8, count: 16)) {
                try slice.store(UInt64.max, at: offset)
            }
        }
        #expect(throws: GuestMemoryError.outsideSlice(offset: 15, byteCount: 2, count: 16)) {
            try slice.loadAcquire(at: 15)
        }
        #expect(throws: GuestMemoryError.outsideSlice(offset: 16, byteCount: 2, count: 16)) {
            try slice.storeRelease(1, at: 16)
        }
        #expect(throws: GuestMemoryError.outsideSlice(offset: 8, byteCount: 9, count: 16)) {
            try slice.part(from: 8, byteCount: 9)
        }
        #expect(throws: GuestMemoryError.outsideSlice(offset: 0, byteCount: -1, count: 16)) {
            try slice.part(from: 0, byteCount: -1)
        }
        let long = [UInt8](repeating: 1, count: 17)
        #expect(throws: GuestMemoryError.outsideSlice(offset: 0, byteCount: 17, count: 16)) {
            try unsafe long.withUnsafeBytes { try unsafe slice.copy($0, to: 0) }
        }
        #expect(slice.bytes() == [UInt8](repeating: 0, count: 16))
    }

    @Test("Integers are little-endian and need no alignment")
    func integers() throws {
        try slice.store(UInt32(0x0403_0201), at: 3)
        #expect(slice.bytes()[3..<7] == [1, 2, 3, 4])
        #expect(try slice.load(UInt32.self, at: 3) == 0x0403_0201)
        let part = try slice.part(from: 3, byteCount: 4)
        #expect(part.bytes() == [1, 2, 3, 4])
        #expect(try slice.part(from: 16, byteCount: 0).bytes().isEmpty)
    }

    @Test("Alignment is that of the address in the mapping")
    func alignment() throws {
        #expect(slice.isAligned(to: 16))
        #expect(try !slice.part(from: 2, byteCount: 4).isAligned(to: 4))
        #expect(try slice.part(from: 2, byteCount: 4).isAligned(to: 2))
    }

    @Test("Guest addresses do not wrap")
    func addresses() {
        #expect(GuestAddress(rawValue: .max).advanced(by: 1) == nil)
        #expect(GuestAddress(rawValue: 5).advanced(by: 6)?.rawValue == 11)
        #expect(GuestAddress(rawValue: 255).description == "0xff")
    }
}
