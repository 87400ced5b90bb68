// SPDX-License-Identifier: Apache-2.0
import Block
import CLinux
import Glibc
import Linux
import TestSupport
import Testing
import Virtio

@Suite("Block: disks")
struct DiskTests {
    @Test("A regular file becomes a disk with the access asked for")
    func takesRegularFilesAsTheyAreOpen() throws {
        let disk = try Disk(try DiskFile.memory(sectors: 9), isReadOnly: false)
        #expect(disk.sectorCount == 9)
        #expect(!disk.isReadOnly)
        #expect(!disk.isBlockDevice)
        #expect(try Disk(try DiskFile.memory(sectors: 9), isReadOnly: true).isReadOnly)
    }

    @Test("An incomplete last sector does not count")
    func leavesOutWhatIsNoWholeSector() throws {
        let file = try DiskFile.memory(sectors: 2)
        try file.writeAll([1, 2, 3])
        #expect(try Disk(file, isReadOnly: true).sectorCount == 2)
    }

    @Test("Directories, character devices, pipes and files below one sector are refused")
    func refusesWhatIsNoDisk() throws {
        #expect(throws: BlockError.kind(mode: S_IFDIR)) {
            _ = try Disk(try FileDescriptor.open("/", [.directory]), isReadOnly: true)
        }
        #expect(throws: BlockError.kind(mode: S_IFCHR)) {
            _ = try Disk(try FileDescriptor.open("/dev/zero", [.readWrite]), isReadOnly: false)
        }
        #expect(throws: BlockError.kind(mode: S_IFIFO)) {
            let pipe = try FileDescriptor.pipe()
            _ = try Disk(try pipe.reader.duplicate(), isReadOnly: true)
        }
        #expect(throws: BlockError.empty(byteCount: 0)) {
            _ = try Disk(try FileDescriptor.memory(named: "disk"), isReadOnly: true)
        }
        #expect(throws: BlockError.empty(byteCount: 511)) {
            let file = try FileDescriptor.memory(named: "disk")
            try file.writeAll([UInt8](repeating: 0, count: 511))
            _ = try Disk(file, isReadOnly: true)
        }
    }

    @Test("A descriptor whose access does not fit the disk is refused")
    func refusesAnotherAccessThanAskedFor() throws {
        let name = "/var/tmp/block-test-\(getpid())"
        defer { _ = unsafe unlink(name) }
        try DiskFile.fill(FileDescriptor.open(name, [.create, .readWrite], mode: 0o600), sectors: 4)
        #expect(try Disk(try .open(name), isReadOnly: true).sectorCount == 4)
        let refused: [(OpenOptions, Bool)] = [
            ([], false), ([.writeOnly], false), ([.writeOnly], true), ([.path], true), ([.path], false),
        ]
        for (options, isReadOnly) in refused {
            #expect {
                _ = try Disk(try .open(name, options), isReadOnly: isReadOnly)
            } throws: { error in
                guard case BlockError.access = error else { return false }
                return true
            }
        }
        #expect(throws: BlockError.appends) {
            _ = try Disk(try .open(name, [.readWrite, .append]), isReadOnly: false)
        }
    }

    @Test("A disk makes its descriptor blocking")
    func readsThatMustWaitDoNotFail() throws {
        let file = try DiskFile.memory(sectors: 4)
        let other = try file.duplicate()
        try file.setNonBlocking(true)
        _ = try Disk(file, isReadOnly: true)
        #expect(fcntl(other.rawValue, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test("Identifiers that are too long or not printable ASCII are refused")
    func identifiersAreShortAndPrintable() throws {
        let served = try ServedLoop(starts: false)
        for identifier in ["a name of 21 bytes...", "two\nlines", "\u{e9}", "nul\0"] {
            #expect(throws: BlockError.identifier(identifier)) {
                _ = try BlockDevice(
                    disk: try Disk(try DiskFile.memory(sectors: 1), isReadOnly: true), identifier: identifier,
                    loop: served.loop)
            }
        }
        _ = served.end()
    }

    @Test("Features and configuration space describe writable and read-only disks")
    func whatItSaysOfItself() throws {
        let driver = try DiskDriver(try Disk(try DiskFile.memory(sectors: 0x1234), isReadOnly: false))
        let device = driver.device
        #expect(device.type == .block)
        #expect(device.queueSizes == [256])
        // SEG_MAX, BLK_SIZE, FLUSH, TOPOLOGY, DISCARD, WRITE_ZEROES.
        #expect(device.features == 1 << 2 | 1 << 6 | 1 << 9 | 1 << 10 | 1 << 13 | 1 << 14)
        let space = device.configuration
        #expect(space.count == 60)
        #expect(Array(space[0..<8]) == [0x34, 0x12, 0, 0, 0, 0, 0, 0])
        #expect(Array(space[12..<16]) == [254, 0, 0, 0])
        #expect(Array(space[20..<24]) == [0, 2, 0, 0])
        // Eight sectors in a page.
        #expect(Array(space[24..<28]) == [3, 0, 8, 0])
        #expect(space[40] == 1 && space[44] == 8 && space[52] == 1 && space[56] == 1)
        let readOnly = try DiskDriver(try Disk(try DiskFile.memory(sectors: 1), isReadOnly: true)).device
        #expect(readOnly.features == 1 << 2 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 10)
        #expect(readOnly.configuration[36...].allSatisfy { $0 == 0 })
    }
}
