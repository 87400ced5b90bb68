// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Testing

@Suite("FileSystem: sessions")
struct SessionTests {
    @Test("INIT agrees on the version, flags and sizes")
    func negotiates() throws {
        let guest = try Guest()
        let answer = guest.call(.initialize, 0, Bytes().u32(7).u32(37).u32(4096).u32(.max).zeros(48))
        #expect(answer.error == 0 && answer.body.count == 64)
        #expect(answer.u32(0) == 7 && answer.u32(4) == 37 && answer.u32(8) == 4096)
        let flags = Capability(rawValue: UInt64(answer.u32(12)))
        #expect(flags.isSuperset(of: [.maxPages, .submounts, .handleKillPrivilegesV2, .posixACL, .doNotMask]))
        // Locks, write-back, export and the first kill-privileges are the guest's own affair.
        #expect(answer.u32(12) & (1 << 1 | 1 << 10 | 1 << 16 | 1 << 4 | 1 << 19) == 0)
        #expect(answer.u32(20) == 1 << 20)
        #expect(answer.u32(28) & 0xffff == 256)
    }

    @Test("Only capabilities the guest knows are agreed on")
    func offersOnlyWhatTheGuestKnows() throws {
        let guest = try Guest(capabilities: 1 << 0)
        #expect(!guest.server.isAgreed(.submounts))
        #expect(guest.server.isAgreed(.asyncRead))
    }

    @Test("INIT refuses older versions and answers newer ones with its own")
    func refusesOldAndAnswersNewerVersions() throws {
        let guest = try Guest()
        #expect(guest.call(.initialize, 0, Bytes().u32(7).u32(30).u32(0).u32(0)).error == EPROTO)
        #expect(guest.call(.initialize, 0, Bytes().u32(6).u32(99).u32(0).u32(0)).error == EPROTO)
        let newer = guest.call(.initialize, 0, Bytes().u32(8).u32(0).u32(0).u32(0))
        #expect(newer.error == 0 && newer.u32(0) == 7)
        #expect(guest.call(.initialize, 0, Bytes().u32(7)).error == EINVAL)
    }

    @Test("DESTROY and a second INIT drop all inodes and handles", arguments: [true, false])
    func endingForgetsEverything(byDestroy: Bool) throws {
        let guest = try Guest()
        try guest.tree.file("a", "x")
        let node = guest.lookup("a").node
        let handle = guest.open(node, O_RDONLY).u64(0)
        #expect(guest.server.inodes.count == 2 && guest.server.handles.count == 1)
        if byDestroy {
            #expect(guest.call(.destroy, 0).error == 0)
        } else {
            _ = guest.call(.initialize, 0, Bytes().u32(7).u32(38).u32(0).u32(0).zeros(48))
        }
        #expect(guest.server.inodes.count == 1 && guest.server.handles.count == 0)
        #expect(guest.attributes(node).error == ESTALE)
        #expect(guest.read(handle, 0, 1).error == EBADF)
        #expect(guest.attributes(1).error == 0)
    }

    @Test("FORGET drops an inode with its last lookup, and its number is not reused")
    func forgetsByCount() throws {
        let guest = try Guest()
        try guest.tree.file("a")
        let node = guest.lookup("a").node
        #expect(guest.lookup("a").node == node)
        guest.forget(node)
        #expect(guest.attributes(node).error == 0)
        guest.forget(node)
        #expect(guest.attributes(node).error == ESTALE)
        // The number is never given again, the slot is.
        let next = guest.lookup("a").node
        #expect(next != node && next & 0xffff_ffff == node & 0xffff_ffff)
        // More than was looked up counts as all of it, and nothing more is taken off anybody.
        guest.forget(next, .max)
        guest.forget(next, .max)
        #expect(guest.server.inodes.count == 1)
        guest.forget(1, .max)
        #expect(guest.attributes(1).error == 0)
    }

    @Test("BATCH_FORGET drops its whole list, or nothing when its count is too large")
    func forgetsInBatches() throws {
        let guest = try Guest()
        var batch = Bytes()
        for index in 0..<100 {
            try guest.tree.file("f\(index)")
            batch = batch.u64(guest.lookup("f\(index)").node).u64(1)
        }
        #expect(guest.server.inodes.count == 101)
        // A count beyond the bytes there are does nothing.
        #expect(guest.call(.batchForget, 0, Bytes().u32(101).u32(0).adding(batch.bytes)).written == 0)
        #expect(guest.server.inodes.count == 101)
        #expect(guest.call(.batchForget, 0, Bytes().u32(100).u32(0).adding(batch.bytes)).written == 0)
        #expect(guest.server.inodes.count == 1)
    }

    @Test("INTERRUPT has no answer")
    func interruptHasNoAnswer() throws {
        let guest = try Guest()
        #expect(guest.call(.interrupt, 0, Bytes().u64(1)).written == 0)
    }
}
