// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Testing

@Suite("FileSystem: open files")
struct FileTests {
    @Test("A file is created, written and read back within the reply's room")
    func createReadWrite() throws {
        let guest = try Guest()
        let made = guest.create("f", mode: 0o666, umask: 0o022)
        #expect(made.error == 0 && made.entry.mode == 0o100644 && made.body.count == 144)
        let handle = Guest.createdHandle(made)
        let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let written = guest.write(handle, 0, content)
        #expect(written.error == 0 && written.u32(0) == 100_000)
        // The reply's pages do not lie in a row in the guest's memory.
        #expect(guest.read(handle, 0, 100_000).body == content)
        #expect(guest.read(handle, 99_000, 4096).body == Array(content[99_000...]))
        #expect(guest.read(handle, 100_000, 4096).body.isEmpty)
        // Never more than the guest has room for.
        #expect(guest.read(handle, 0, .max, room: 1016).body == Array(content[..<1000]))
        #expect(guest.read(handle, 0, 0).error == 0)
        #expect(guest.create("f", O_RDWR | O_EXCL).error == EEXIST)
        let again = guest.create("f", O_RDWR | O_TRUNC)
        #expect(again.error == 0 && again.node == made.node && again.entry.size == 0)
    }

    @Test("OPEN honors access mode and truncation, and ignores flags that lead elsewhere")
    func openFlags() throws {
        let guest = try Guest()
        try guest.tree.file("f", "content")
        let f = guest.lookup("f").node
        let reader = guest.open(f, O_RDONLY)
        // Nothing to report at close: FOPEN_NOFLUSH.
        #expect(reader.u32(8) & 32 != 0)
        #expect(guest.write(reader.u64(0), 0, [1]).error == EBADF)
        let writer = guest.open(f, O_WRONLY)
        #expect(writer.u32(8) & 32 == 0)
        #expect(guest.read(writer.u64(0), 0, 1).error == EBADF)
        #expect(guest.open(f, O_RDWR | O_TRUNC).error == 0)
        #expect(guest.attributes(f).attributes.size == 0)
        // Flags that would lead elsewhere or create are not passed on: O_PATH, O_DIRECTORY, O_CREAT.
        #expect(guest.open(f, O_RDONLY | 0o10000000 | O_DIRECTORY | O_CREAT | O_EXCL).error == 0)
        #expect(guest.open(1, O_RDONLY).error == EISDIR)
        #expect(guest.open(99, O_RDONLY).error == ESTALE)
        // O_DIRECT, with buffers that no device would take.
        let direct = guest.open(f, O_RDWR | 0o40000)
        #expect(guest.write(direct.u64(0), 1, [1, 2, 3]).error == 0)
    }

    @Test("O_APPEND writes append, and cached pages go to their own offset")
    func appends() throws {
        let guest = try Guest()
        try guest.tree.file("f", "12345")
        let handle = guest.open(guest.lookup("f").node, O_WRONLY | O_APPEND).u64(0)
        #expect(guest.write(handle, 0, Array("678".utf8), fileFlags: O_WRONLY | O_APPEND).error == 0)
        #expect(try guest.tree.content("f") == "12345678")
        // A page of the guest's cache goes where it belongs, through whichever handle.
        #expect(guest.write(handle, 0, Array("X".utf8), flags: 1, fileFlags: O_WRONLY | O_APPEND).error == 0)
        #expect(try guest.tree.content("f") == "X2345678")
    }

    @Test("Writes at far offsets are sparse, and offsets past the limit are refused")
    func farOffsets() throws {
        let guest = try Guest()
        let made = guest.create("f")
        let handle = Guest.createdHandle(made)
        let far: UInt64 = 5 << 30
        #expect(guest.write(handle, far, Array("far".utf8)).error == 0)
        let attributes = guest.attributes(made.node).attributes
        #expect(attributes.size == far + 3 && attributes.blocks < 100)
        #expect(guest.read(handle, far, 10).body == Array("far".utf8))
        #expect(guest.read(handle, 1 << 30, 4).body == [0, 0, 0, 0])
        for offset in [UInt64.max, UInt64(Int64.max), UInt64(Int64.max) - 1] {
            #expect(guest.read(handle, offset, 4).error == EINVAL)
            #expect(guest.write(handle, offset, [1]).error == EINVAL)
        }
    }

    @Test("A released handle is invalid and not given out again")
    func handlesEndWithRelease() throws {
        let guest = try Guest()
        try guest.tree.file("f", "x")
        let f = guest.lookup("f").node
        let handle = guest.open(f, O_RDWR).u64(0)
        #expect(guest.call(.flush, f, Bytes().u64(handle).zeros(16)).error == 0)
        #expect(guest.call(.sync, f, Bytes().u64(handle).u64(0)).error == 0)
        #expect(guest.call(.sync, f, Bytes().u64(handle).u64(1)).error == 0)
        #expect(guest.release(handle, isDirectory: true).error == EBADF)
        #expect(guest.release(handle).error == 0)
        #expect(guest.release(handle).error == EBADF)
        #expect(guest.read(handle, 0, 1).error == EBADF)
        #expect(guest.call(.flush, f, Bytes().u64(handle).zeros(16)).error == EBADF)
        #expect(guest.call(.sync, f, Bytes().u64(handle).u64(0)).error == EBADF)
        let next = guest.open(f, O_RDWR).u64(0)
        #expect(next != handle)
        #expect(guest.read(handle, 0, 1).error == EBADF)
        for bad in [UInt64.max, 7 << 32, 12345] { #expect(guest.read(bad, 0, 1).error == EBADF) }
    }

    @Test("Opening beyond the descriptor limit fails and creates nothing")
    func handlesAreBounded() throws {
        let guest = try Guest(descriptorLimit: 64 + 2 * 20)
        var opened: [UInt64] = []
        // Of forty descriptors ten stay for the ways to files.
        for index in 0..<30 {
            try guest.tree.file("f\(index)", "\(index)")
            opened.append(guest.open(guest.lookup("f\(index)").node, O_RDONLY).u64(0))
        }
        try guest.tree.file("another")
        let another = guest.lookup("another").node
        #expect(guest.open(another, O_RDONLY).error == ENFILE)
        #expect(guest.open(guest.lookup("f1").node, O_RDWR).error == ENFILE)
        #expect(guest.call(.openDirectory, 1, Bytes().u64(0)).error == ENFILE)
        let known = guest.server.inodes.count
        #expect(guest.create("new").error == ENFILE)
        #expect(guest.server.inodes.count == known && guest.tree.status("new") == nil)
        #expect(guest.release(opened[0]).error == 0)
        #expect(guest.open(another, O_RDONLY).error == 0)
    }

    @Test("Openings of one file share descriptors when these are scarce")
    func oneDescriptorServesManyOpeningsWhereTheyAreScarce() throws {
        let guest = try Guest(descriptorLimit: 64 + 2 * 20)
        try guest.tree.file("f", "content")
        let f = guest.lookup("f").node
        var opened: [UInt64] = []
        for index in 0..<500 {
            let answer = guest.open(f, index % 2 == 0 ? O_RDONLY : O_RDWR)
            #expect(answer.error == 0)
            opened.append(answer.u64(0))
        }
        #expect(guest.server.handles.count == 500 && guest.server.inodes.openFiles.count <= 30)
        #expect(Set(opened).count == 500)
        // Each is what it was opened for, and closed alone.
        #expect(guest.write(opened[499], 0, Array("C".utf8)).error == 0)
        #expect(guest.write(opened[498], 0, Array("X".utf8)).error == EBADF)
        for handle in opened.dropLast() { #expect(guest.release(handle).error == 0) }
        #expect(guest.read(opened[499], 0, 100).body == Array("Content".utf8))
        #expect(guest.read(opened[0], 0, 100).error == EBADF)
        #expect(guest.release(opened[499]).error == 0)
        #expect(guest.server.inodes.openFiles.count == 0)
    }

    @Test("Cached pages are kept by policy, and by default only of unchanged files")
    func keepsPagesOfWhatIsUnchanged() throws {
        let guest = try Guest()
        let path = try guest.tree.file("f", "content")
        let past = [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]
        let f = guest.lookup("f").node
        // Just changed: it could change again unseen.
        _ = guest.open(f, O_RDONLY)
        #expect(guest.open(f, O_RDONLY).u32(8) & 2 == 0)
        _ = unsafe utimes(path, past)
        usleep(2_100_000)
        #expect(guest.open(f, O_RDONLY).u32(8) & 2 == 0)
        #expect(guest.open(f, O_RDONLY).u32(8) & 2 == 2)
        try guest.tree.file("f", "changed")
        #expect(guest.open(f, O_RDONLY).u32(8) & 2 == 0)
        #expect(try Guest(guest.tree, cache: .always).open(f, O_RDONLY).error == ESTALE)
        let always = try Guest(guest.tree, cache: .always)
        #expect(always.open(always.lookup("f").node, O_RDONLY).u32(8) & 3 == 2)
        let never = try Guest(guest.tree, cache: .none)
        let entry = never.lookup("f")
        #expect(entry.u64(16) == 0 && entry.u64(24) == 0)
        #expect(never.open(entry.node, O_RDONLY).u32(8) & 3 == 1)
    }

    @Test("O_TMPFILE makes a file without a name that LINK can name")
    func temporaryFiles() throws {
        let guest = try Guest()
        let made = guest.call(.temporaryFile, 1, Bytes().u32(UInt32(O_RDWR)).u32(0o100600).u32(0).u32(0).text("#1"))
        #expect(made.error == 0 && made.entry.links == 0 && made.entry.mode == 0o100600)
        #expect(guest.write(Guest.createdHandle(made), 0, Array("temporary".utf8)).error == 0)
        #expect(guest.attributes(made.node).attributes.size == 9)
        let linked = guest.call(.link, 1, Bytes().u64(made.node).text("kept"))
        #expect(linked.error == 0 && linked.node == made.node && linked.entry.links == 1)
        #expect(try guest.tree.content("kept") == "temporary")
        #expect(
            guest.call(.temporaryFile, 1, Bytes().u32(UInt32(O_RDONLY)).u32(0o600).u32(0).u32(0).text("#2")).error
                == EINVAL)
    }

    @Test(
        "Writes and truncations that ask for it clear setuid and setgid",
        .enabled(if: isRoot, "who else writes takes root"))
    func setUserIDGoesWithAWrite() throws {
        let guest = try Guest()
        let made = guest.create("f", mode: 0o755)
        let handle = Guest.createdHandle(made)
        let mode: (UInt32) -> Void = { mode in
            _ = guest.call(.setAttributes, made.node, Bytes().u32(1).zeros(64).u32(mode).zeros(16))
        }
        mode(0o6755)
        #expect(guest.attributes(made.node).attributes.mode == 0o106755)
        // The caller has CAP_FSETID.
        #expect(guest.write(handle, 0, [1]).error == 0)
        #expect(guest.attributes(made.node).attributes.mode == 0o106755)
        #expect(guest.write(handle, 0, [1], flags: 4).error == 0)
        #expect(guest.attributes(made.node).attributes.mode == 0o100755)
        mode(0o4755)
        // By truncation: FATTR_SIZE and FATTR_KILL_SUIDGID.
        #expect(guest.call(.setAttributes, made.node, Bytes().u32(1 << 3 | 1 << 11).zeros(84)).error == 0)
        #expect(guest.attributes(made.node).attributes.mode == 0o100755)
        mode(0o4755)
        #expect(guest.call(.open, made.node, Bytes().u32(UInt32(O_WRONLY | O_TRUNC)).u32(1)).error == 0)
        #expect(guest.attributes(made.node).attributes.mode == 0o100755)
        mode(0o4755)
        #expect(guest.attributes(made.node).attributes.mode == 0o104755)
    }
}
