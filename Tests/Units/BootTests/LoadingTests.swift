// SPDX-License-Identifier: Apache-2.0
import Boot
import Foundation
import Glibc
import GuestMemory
import Linux
import Testing

/// How bytes come from files into memory.
@Suite("Loading") struct LoadingTests {
    static let image: ELFImage = {
        var image = ELFImage.kernel()
        // Neither sizes nor places are multiples of anything.
        image.segments.append(
            .init(address: 0x123_4567, bytes: (0..<300_001).map { UInt8(truncatingIfNeeded: $0 &* 7) }))
        return image
    }()

    @Test("Loading through the mapping and through the file gives the same memory")
    func bothWays() throws {
        let archive = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let (mapped, sent) = (try Guest(byteCount: 32 << 20), try Guest(byteCount: 32 << 20))
        let states = [
            try mapped.load(Self.image.file, initramfs: archive, commandLine: "c"),
            try sent.load(Self.image.file, initramfs: archive, commandLine: "c", throughFile: true),
        ]
        #expect(states[0] == states[1])
        #expect(try mapped.bytes(at: 0, 32 << 20) == sent.bytes(at: 0, 32 << 20))
        #expect(try sent.bytes(at: 0x123_4567, 300_001) == Self.image.segments.last?.bytes)
    }

    @Test("Holes of a file take no guest memory", arguments: [false, true])
    func holes(throughFile: Bool) throws {
        let guest = try Guest(byteCount: 64 << 20)
        let kernel = try memoryFile(ELFImage.kernel().file)
        let archive = try FileDescriptor.memory(named: "archive")
        // 8 MiB of nothing between two pages of data.
        #expect(ftruncate(archive.rawValue, 9 << 20) == 0)
        #expect(lseek(archive.rawValue, 0x2000, SEEK_SET) == 0x2000)
        try archive.writeAll([UInt8](repeating: 1, count: 4096))
        #expect(lseek(archive.rawValue, 8 << 20, SEEK_SET) == 8 << 20)
        try archive.writeAll([UInt8](repeating: 2, count: 4096))

        let before = try blocks(of: guest.file.borrowed)
        let info = try BootLoader.load(
            BootSource(kernel: kernel.borrowed, initramfs: archive.borrowed, commandLine: ""), into: guest.memory,
            backing: throughFile ? guest.file.borrowed : nil, layout: guest.layout, processors: 1, devices: []
        ).rbx
        let place: UInt64 = try guest.integer(at: guest.integer(at: info + 16))
        #expect(try guest.bytes(at: place, 0x2000).allSatisfy { $0 == 0 })
        #expect(try guest.bytes(at: place + 0x2000, 4096).allSatisfy { $0 == 1 })
        #expect(try guest.bytes(at: place + 0x80_0000, 4096).allSatisfy { $0 == 2 })
        // Half a megabyte is more than all else takes here. Reading the hole above took a page or two.
        #expect(try blocks(of: guest.file.borrowed) - before < 512 << 10)
    }

    /// The bytes of memory a file takes.
    func blocks(of file: BorrowedDescriptor) throws -> Int {
        var status = stat()
        #expect(unsafe fstat(file.rawValue, &status) == 0)
        return Int(status.st_blocks) * 512
    }

    /// Debian's kernel, where something has fetched it already.
    static let stockKernel: String? = {
        let cache = (ProcessInfo.processInfo.environment["HOME"] ?? "/") + "/.cache/fc-runc"
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: cache)) ?? []
        return folders.sorted().filter { $0.hasPrefix("kernel-") }.map { "\(cache)/\($0)/vmlinux" }
            .last { FileManager.default.fileExists(atPath: $0) }
    }()

    @Test(
        "Debian's kernel loads where its headers say, and a guest too small refuses it",
        .enabled(if: stockKernel != nil, "no kernel in ~/.cache/fc-runc"), arguments: [BootSource.Entry.pvh, .linux64])
    func stock(entry: BootSource.Entry) throws {
        let path = try #require(Self.stockKernel)
        let guest = try Guest(byteCount: 128 << 20)
        let kernel = try FileDescriptor.open(path)
        let state = try BootLoader.load(
            BootSource(kernel: kernel.borrowed, initramfs: nil, commandLine: "console=ttyS0", entry: entry),
            into: guest.memory, backing: guest.file.borrowed, layout: guest.layout, processors: 2, devices: slots(3))
        #expect(state.mode == (entry == .pvh ? .protected32 : .long64))
        #expect((0x100_0000..<0x400_0000).contains(state.rip))
        // The first page of text is the file's, wherever PT_LOAD has it.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        let headers = Int(Array(bytes[0x20..<0x28]).integer(UInt64.self, at: 0))
        let offset = Int(Array(bytes[headers + 8..<headers + 16]).integer(UInt64.self, at: 0))
        #expect(try guest.bytes(at: 0x100_0000, 4096) == Array(bytes[offset..<offset + 4096]))
        // It is too big for the smallest guest, and says so before anything is written.
        let small = try Guest(byteCount: 32 << 20)
        #expect {
            try BootLoader.load(
                BootSource(kernel: kernel.borrowed, initramfs: nil, commandLine: ""), into: small.memory,
                layout: small.layout, processors: 1, devices: [])
        } throws: {
            guard case BootError.kernelTooBig = $0 else { return false }
            return true
        }
        #expect(try blocks(of: small.file.borrowed) == 0)
    }
}
