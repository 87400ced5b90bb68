// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import Linux
import Testing

/// What chattr(1) sets, by IOCTL.
@Suite struct FileFlagsTests {
    private static let getFlags: UInt32 = 0x8008_6601
    private static let setFlags: UInt32 = 0x4008_6602
    private static let getAttributes: UInt32 = 0x801c_581f
    private static let setAttributes: UInt32 = 0x401c_5820
    private static let noDump: UInt32 = 0x40

    private func control(
        _ guest: Guest, _ handle: UInt64, _ command: UInt32, _ input: [UInt8] = [], output: UInt32 = 0,
        flags: UInt32 = 0
    ) -> Guest.Answer {
        let body = Bytes().u64(handle).u32(flags).u32(command).u64(0).u32(UInt32(input.count)).u32(output)
        return guest.call(.control, 1, body, data: input)
    }

    @Test("Inode flags of files and directories are read and set")
    func flagsOfFilesAndDirectories() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        try guest.tree.directory("d")
        let file = guest.open(guest.lookup("f").node, O_RDONLY).u64(0)
        let directory = guest.call(.openDirectory, guest.lookup("d").node, Bytes().u64(0)).u64(0)
        for (handle, flags) in [(file, UInt32(0)), (directory, 16)] {
            let before = control(guest, handle, Self.getFlags, output: 4, flags: flags)
            #expect(before.error == 0 && before.body.count == 20 && before.u32(0) == 0)
            let wanted = Bytes().u32(before.u32(16) | Self.noDump).bytes
            #expect(control(guest, handle, Self.setFlags, wanted, flags: flags).error == 0)
            #expect(control(guest, handle, Self.getFlags, output: 4, flags: flags).u32(16) & Self.noDump != 0)
            let attributes = control(guest, handle, Self.getAttributes, output: 28, flags: flags)
            // FS_XFLAG_NODUMP
            #expect(attributes.error == 0 && attributes.body.count == 44 && attributes.u32(16) & 0x80 != 0)
            let without = Bytes().u32(attributes.u32(16) & ~0x80).bytes + attributes.body[20...]
            #expect(control(guest, handle, Self.setAttributes, without, flags: flags).error == 0)
            #expect(control(guest, handle, Self.getFlags, output: 4, flags: flags).u32(16) & Self.noDump == 0)
        }
    }

    /// A file of such a kind could not be removed by the host.
    @Test("The immutable and append-only flags are refused")
    func immutableAndAppendOnlyAreRefused() throws {
        let guest = try Guest()
        let handle = Guest.createdHandle(guest.create("f"))
        let flags = control(guest, handle, Self.getFlags, output: 4).u32(16)
        for bit in [UInt32(0x10), 0x20] {
            #expect(control(guest, handle, Self.setFlags, Bytes().u32(flags | bit).bytes).error == EPERM)
        }
        for bit in [UInt32(0x8), 0x10] {
            #expect(control(guest, handle, Self.setAttributes, Bytes().u32(bit).zeros(24).bytes).error == EPERM)
        }
        #expect(control(guest, handle, Self.getFlags, output: 4).u32(16) == flags)
    }

    @Test("Other ioctls and malformed ones are refused")
    func nothingElseIsAnswered() throws {
        let guest = try Guest()
        let handle = Guest.createdHandle(guest.create("f"))
        // TCGETS, FS_IOC32_GETFLAGS, FS_IOC_GETVERSION, FIFREEZE, FICLONE
        for command in [UInt32(0x5401), 0x8004_6601, 0x8008_7601, 0xc004_5877, 0x4004_9409] {
            #expect(control(guest, handle, command, [0, 0, 0, 0], output: 4).error == ENOTTY)
        }
        #expect(control(guest, handle, Self.getFlags, output: 4, flags: 2).error == ENOTTY)
        #expect(control(guest, handle, Self.getFlags, output: 4, flags: 16).error == EBADF)
        #expect(control(guest, 77, Self.getFlags, output: 4).error == EBADF)
        #expect(control(guest, handle, Self.getFlags, output: 8).error == EINVAL)
        #expect(control(guest, handle, Self.setFlags, [0, 0]).error == EINVAL)
        let withoutInput = Bytes().u64(handle).u32(0).u32(Self.setFlags).u64(0).u32(4).u32(0)
        #expect(guest.call(.control, 1, withoutInput).error == EINVAL)
        #expect(guest.call(.control, 1, Bytes().u64(handle)).error == EINVAL)
    }

    @Test("A read-only share lets flags be read but not set")
    func aReadOnlyShareKeepsItsFlags() throws {
        let guest = try Guest(isReadOnly: true)
        try guest.tree.file("f")
        let handle = guest.open(guest.lookup("f").node, O_RDONLY).u64(0)
        let flags = control(guest, handle, Self.getFlags, output: 4)
        #expect(flags.error == 0)
        #expect(control(guest, handle, Self.setFlags, Bytes().u32(flags.u32(16) | Self.noDump).bytes).error == EROFS)
    }
}
