// SPDX-License-Identifier: Apache-2.0
import Block
import Linux
import TestSupport
import Testing

/// On a block device of the host's.
@Suite(.enabled(if: LoopDevice.isAvailable, "loop devices are root's, and need /dev/loop-control"))
struct BlockDeviceTests {
    @Test("A host block device is read, written, flushed, discarded and zeroed", arguments: [true, false])
    func readsWritesAndGivesBack(usesRing: Bool) throws {
        let file = try DiskFile.onDisk(sectors: 2048)
        let loop = try LoopDevice(on: file)
        let disk = try Disk(try loop.open([.readWrite]), isReadOnly: false)
        #expect(disk.isBlockDevice)
        #expect(disk.sectorCount == 2048)
        let driver = try DiskDriver(disk, usesRing: usesRing)
        #expect(driver.device.configuration[20..<24] == [0, 2, 0, 0])
        let data = [UInt8](repeating: 0xd1, count: 4096)
        #expect(try driver.write(16, data) == .done)
        #expect(try driver.flush() == .done)
        #expect(try DiskFile.sector(17, of: file) == [UInt8](repeating: 0xd1, count: 512))
        #expect(try driver.read(16, 4096).bytes == data)
        #expect(try driver.read(2047, 512).bytes == [UInt8](repeating: 0xff, count: 512))
        #expect(try driver.read(2048, 512).status == 1)
        // What the storage below can do: done, or said not to be.
        for (type, flags): (UInt32, UInt32) in [(11, 0), (13, 1), (13, 0)] {
            let answer = try driver.run(type, out: [DiskDriver.range(64, 64, flags: flags)])
            #expect(answer == .done || answer == .unsupported)
            if answer == .done {
                #expect(try driver.read(64, 512).bytes == [UInt8](repeating: 0, count: 512))
            }
        }
        #expect(try driver.read(128, 512).bytes == [UInt8](repeating: 128, count: 512))
    }

    @Test("A block device opened read-only serves reads and refuses writes")
    func readOnlyIsReadOnly() throws {
        let loop = try LoopDevice(on: try DiskFile.onDisk(sectors: 64))
        let driver = try DiskDriver(try Disk(try loop.open([]), isReadOnly: true))
        #expect(try driver.read(9, 512).bytes == [UInt8](repeating: 9, count: 512))
        #expect(try driver.write(9, [UInt8](repeating: 0, count: 512)) == .failed)
        #expect {
            _ = try Disk(try loop.open([]), isReadOnly: false)
        } throws: { error in
            guard case BlockError.access = error else { return false }
            return true
        }
    }

    @Test("Requests beyond a shrunk block device fail, and its capacity follows")
    func aDeviceThatShrinksFailsItsRequests() throws {
        let file = try DiskFile.onDisk(sectors: 256)
        let loop = try LoopDevice(on: file)
        let driver = try DiskDriver(try Disk(try loop.open([.readWrite]), isReadOnly: false))
        try DiskFile.setSize(file, sectors: 64)
        try loop.resize()
        #expect(try driver.read(128, 512).status == 1)
        #expect(try driver.write(128, [UInt8](repeating: 1, count: 512)) == .failed)
        #expect(try driver.read(63, 512).status == 0)
        try driver.device.refreshCapacity()
        #expect(driver.device.configuration[0] == 64)
    }
}
