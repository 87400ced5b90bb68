// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Testing

@Suite("FileSystem: attributes")
struct AttributeTests {
    /// struct fuse_setattr_in.
    private func set(
        _ guest: Guest, _ node: UInt64, _ fields: SetAttributes, handle: UInt64 = 0, size: UInt64 = 0,
        accessed: (UInt64, UInt32) = (0, 0), modified: (UInt64, UInt32) = (0, 0), mode: UInt32 = 0, uid: UInt32 = 0,
        gid: UInt32 = 0
    ) -> Guest.Answer {
        guest.call(
            .setAttributes, node,
            Bytes().u32(fields.rawValue).u32(0).u64(handle).u64(size).u64(0).u64(accessed.0).u64(modified.0).u64(0)
                .u32(accessed.1).u32(modified.1).u32(0).u32(mode).u32(0).u32(uid).u32(gid).u32(0))
    }

    @Test("SETATTR changes mode, size and times, by node and by handle")
    func modeSizeAndTimes() throws {
        let guest = try Guest()
        try guest.tree.file("f", "0123456789")
        let f = guest.lookup("f").node
        #expect(set(guest, f, .mode, mode: 0o100640).attributes.mode == 0o100640)
        #expect(set(guest, f, .size, size: 4).attributes.size == 4)
        #expect(set(guest, f, .size, size: 1 << 33).attributes.size == 1 << 33)
        #expect(set(guest, f, .size, size: .max).error == EINVAL)
        let handle = guest.open(f, O_RDWR).u64(0)
        #expect(set(guest, f, [.size, .handle], handle: handle, size: 2).attributes.size == 2)
        #expect(set(guest, f, [.size, .handle], handle: 99, size: 2).error == EBADF)
        let timed = set(
            guest, f, [.accessTime, .modificationTime], accessed: (1000, 5), modified: (2_000_000_000, 999_999_999))
        #expect(timed.attributes.modified == 2_000_000_000 && timed.attributes.modifiedNanoseconds == 999_999_999)
        // One of them now, the other left as it is.
        let now = set(guest, f, [.accessTime, .accessTimeNow], accessed: (7, 7))
        #expect(now.u64(16 + 24) > 1_600_000_000 && now.attributes.modified == 2_000_000_000)
        #expect(set(guest, f, .modificationTime, modified: (1, 1_000_000_000)).error == EINVAL)
        let byHandle = guest.call(.getAttributes, f, Bytes().u32(1).u32(0).u64(handle))
        #expect(byHandle.attributes.size == 2)
        #expect(guest.call(.getAttributes, f, Bytes().u32(1).u32(0).u64(77)).error == EBADF)
        #expect(set(guest, 1, .size, size: 0).error == EISDIR)
        #expect(set(guest, 55, .mode, mode: 0).error == ESTALE)
        #expect(guest.call(.setAttributes, f, Bytes().u32(1)).error == EINVAL)
    }

    @Test(
        "SETATTR changes owners, clears setuid and never follows a symlink",
        .enabled(if: isRoot, "giving files away takes root"))
    func owners() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        try guest.tree.symlink("s", to: "f")
        let f = guest.lookup("f").node
        let s = guest.lookup("s").node
        #expect(set(guest, f, .mode, mode: 0o4755).attributes.mode == 0o104755)
        let owned = set(guest, f, [.uid, .gid], uid: 12, gid: 34).attributes
        #expect(owned.uid == 12 && owned.gid == 34 && owned.mode == 0o100755)
        let group = set(guest, f, .gid, gid: 35).attributes
        #expect(group.uid == 12 && group.gid == 35)
        // A symlink's own, and not what it leads to.
        #expect(set(guest, s, .uid, uid: 99).attributes.uid == 99)
        #expect(guest.attributes(f).attributes.uid == 12)
        #expect(set(guest, s, .mode, mode: 0o600).error == EOPNOTSUPP)
        #expect(set(guest, s, .modificationTime, modified: (5, 6)).attributes.modified == 5)
        #expect(set(guest, s, .size, size: 0).error == EINVAL)
    }

    @Test("ACCESS is checked as the calling user and group", .enabled(if: isRoot, "asking as another takes root"))
    func accessIsTheCallers() throws {
        let guest = try Guest()
        try guest.tree.file("f")
        let f = guest.lookup("f").node
        let ask: (UInt32) -> Int32 = { guest.call(.access, f, Bytes().u32($0).u32(0)).error }
        _ = set(guest, f, [.mode, .uid], mode: 0o640, uid: 1000)
        #expect(ask(6) == 0)
        #expect(ask(8) == EINVAL)
        guest.uid = 1000
        guest.gid = 1000
        #expect(ask(6) == 0 && ask(1) == EACCES)
        guest.uid = 1001
        #expect(ask(4) == EACCES && ask(0) == 0)
    }
}
