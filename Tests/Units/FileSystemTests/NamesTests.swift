// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Testing

@Suite("FileSystem: names")
struct NamesTests {
    @Test("Directories are made and removed, with the errors of Linux")
    func directories() throws {
        let guest = try Guest()
        let made = guest.makeDirectory("d", mode: 0o777, umask: 0o027)
        #expect(made.error == 0 && made.entry.mode == 0o040750 && made.entry.links == 2)
        #expect(guest.makeDirectory("d").error == EEXIST)
        #expect(guest.makeDirectory("e", in: made.node).error == 0)
        #expect(guest.call(.removeDirectory, 1, Bytes().text("d")).error == ENOTEMPTY)
        #expect(guest.unlink("d").error == EISDIR)
        #expect(guest.call(.removeDirectory, made.node, Bytes().text("e")).error == 0)
        #expect(guest.call(.removeDirectory, 1, Bytes().text("d")).error == 0)
        #expect(guest.call(.removeDirectory, 1, Bytes().text("d")).error == ENOENT)
        // The guest may still look at what it has open.
        #expect(guest.attributes(made.node).error == 0)
        #expect(guest.makeDirectory("x", in: made.node).error == ENOENT)
    }

    @Test("Fifos and sockets are made and never opened")
    func nodesAreMadeAndNeverOpened() throws {
        let guest = try Guest()
        let node: (String, UInt32, UInt32) -> Guest.Answer = { name, mode, device in
            guest.call(.makeNode, 1, Bytes().u32(mode).u32(device).u32(0o022).u32(0).text(name))
        }
        let fifo = node("fifo", 0o010666, 0)
        #expect(fifo.error == 0 && fifo.entry.mode == 0o010644)
        // An open that waited for a writer would hang here.
        #expect(guest.open(fifo.node, O_RDONLY).error == ENXIO)
        let socket = node("socket", 0o140600, 0)
        #expect(socket.error == 0 && guest.open(socket.node, O_RDWR).error == ENXIO)
        #expect(node("file", 0o100600, 0).error == 0)
        #expect(node("file", 0o100600, 0).error == EEXIST)
        // CREATE upon a fifo does not open it either.
        #expect(guest.create("fifo", O_WRONLY).error == ENXIO)
        let lookups = guest.server.inodes.count
        #expect(guest.create("fifo", O_WRONLY).error == ENXIO && guest.server.inodes.count == lookups)
    }

    @Test(
        "Device nodes are made with their numbers and never opened",
        .enabled(if: isRoot, "making device nodes takes root"))
    func devices() throws {
        let guest = try Guest()
        // 1:3 as new_encode_dev writes it, and a minor number of more than eight bits.
        let null = guest.call(.makeNode, 1, Bytes().u32(0o020666).u32(0x103).u32(0).u32(0).text("null"))
        #expect(null.error == 0 && null.entry.mode == 0o020666 && null.entry.device == 0x103)
        #expect(guest.open(null.node, O_RDWR).error == ENXIO)
        // 259:1000: the minor's upper bits stand above the major's.
        let device: UInt32 = 1000 & 0xff | 259 << 8 | (1000 & ~0xff) << 12
        let big = guest.call(.makeNode, 1, Bytes().u32(0o060600).u32(device).u32(0).u32(0).text("b"))
        #expect(big.error == 0 && big.entry.device == device)
    }

    @Test("A symlink holds a target of up to 4095 bytes")
    func symlinks() throws {
        let guest = try Guest()
        let target = String(repeating: "t", count: 4095)
        #expect(guest.call(.symlink, 1, Bytes().text("long").text(target)).error == 0)
        #expect(guest.call(.symlink, 1, Bytes().text("longer").text(target + "t")).error == ENAMETOOLONG)
        #expect(guest.call(.symlink, 1, Bytes().text("long").text("x")).error == EEXIST)
        let link = guest.lookup("long")
        #expect(link.entry.size == 4095)
        #expect(guest.call(.readLink, link.node).body == Array(target.utf8))
    }

    @Test("An unlinked file stays usable until it is forgotten")
    func unlinkedFilesLiveOn() throws {
        let guest = try Guest()
        let made = guest.create("f")
        let handle = Guest.createdHandle(made)
        #expect(guest.write(handle, 0, Array("still here".utf8)).error == 0)
        #expect(guest.unlink("f").error == 0)
        let after = guest.attributes(made.node)
        #expect(after.error == 0 && after.attributes.links == 0 && after.attributes.size == 10)
        #expect(guest.read(handle, 6, 100).body == Array("here".utf8))
        // By the node alone, as fchmod(2) comes.
        #expect(guest.call(.setAttributes, made.node, Bytes().u32(1).zeros(64).u32(0o600).zeros(16)).error == 0)
        #expect(guest.attributes(made.node).attributes.mode == 0o100600)
        #expect(guest.release(handle).error == 0)
        guest.forget(made.node)
        #expect(guest.server.inodes.count == 1 && guest.server.inodes.openPathCount == 0)
    }

    @Test("A new file of the same name gets another node")
    func aNewFileOfTheSameNameIsAnother() throws {
        let guest = try Guest()
        try guest.tree.file("f", "old")
        let old = guest.lookup("f")
        #expect(guest.unlink("f").error == 0)
        try guest.tree.file("f", "newer")
        let new = guest.lookup("f")
        #expect(new.node != old.node && new.entry.size == 5)
        #expect(guest.attributes(old.node).attributes.size == 3)
    }

    @Test("RENAME moves, exchanges and replaces names, and nodes follow")
    func renaming() throws {
        let guest = try Guest()
        try guest.tree.file("a", "A")
        try guest.tree.file("b", "BB")
        try guest.tree.directory("d")
        let a = guest.lookup("a").node
        let b = guest.lookup("b").node
        let d = guest.lookup("d").node
        #expect(guest.rename("a", "b", flags: 1).error == EEXIST)
        #expect(guest.rename("a", "b", flags: 2).error == 0)
        #expect(guest.lookup("a").node == b && guest.lookup("b").node == a)
        #expect(guest.attributes(a).attributes.size == 1)
        #expect(guest.rename("b", "c", to: d).error == 0)
        #expect(guest.lookup("c", in: d).node == a)
        #expect(guest.attributes(a).attributes.size == 1)
        // Over another, which the guest still knows.
        #expect(guest.rename("c", "a", from: d).error == 0)
        #expect(guest.attributes(b).attributes.links == 0 && guest.attributes(b).attributes.size == 2)
        #expect(guest.lookup("a").node == a)
        #expect(guest.rename("absent", "x").error == ENOENT)
        #expect(guest.rename("d", "x", to: d).error == EINVAL)
        #expect(guest.rename("a", "x", flags: 8).error == EINVAL)
        #expect(guest.rename("a", "x", flags: 3).error == EINVAL)
        // The operation of old, without flags.
        #expect(guest.call(.rename, 1, Bytes().u64(d).text("a").text("z")).error == 0)
        #expect(guest.lookup("z", in: d).node == a)
    }

    @Test(
        "RENAME_WHITEOUT leaves a whiteout where the file system supports it",
        .enabled(if: isRoot, "a whiteout is a device node, which takes root"))
    func whiteout() throws {
        let guest = try Guest()
        try guest.tree.file("a")
        let answer = guest.rename("a", "b", flags: 4)
        #expect(answer.error == 0 || answer.error == EINVAL)  // EINVAL: not every file system has them
        if answer.error == 0 { #expect(guest.lookup("a").entry.mode & 0o170000 == 0o020000) }
    }

    @Test("Files in a moved directory stay reachable after descriptors are closed")
    func aMovedDirectoryTakesItsFilesAlong() throws {
        let guest = try Guest()
        try guest.tree.directory("d")
        try guest.tree.directory("e")
        try guest.tree.file("d/f", "deep")
        let d = guest.lookup("d").node
        let e = guest.lookup("e").node
        let f = guest.lookup("f", in: d).node
        #expect(guest.rename("d", "moved", to: e).error == 0)
        #expect(guest.attributes(f).attributes.size == 4)
        guest.server.inodes.closePaths(100)
        guest.server.inodes.closePaths(100)
        #expect(guest.server.inodes.openPathCount == 0)
        #expect(guest.attributes(f).attributes.size == 4)
    }

    @Test("LINK names files and symlinks again, and any remaining name serves")
    func links() throws {
        let guest = try Guest()
        try guest.tree.file("a", "x")
        let a = guest.lookup("a").node
        #expect(guest.call(.link, 1, Bytes().u64(a).text("a")).error == EEXIST)
        #expect(guest.call(.link, 1, Bytes().u64(99).text("b")).error == ESTALE)
        #expect(guest.call(.link, 1, Bytes().u64(1).text("b")).error == EPERM)
        #expect(guest.call(.link, 1, Bytes().u64(a).text("b")).error == 0)
        // By whichever name is left.
        #expect(guest.unlink("a").error == 0)
        #expect(guest.attributes(a).attributes.links == 1)
        try guest.tree.symlink("s", to: "nowhere")
        let s = guest.lookup("s").node
        let linked = guest.call(.link, 1, Bytes().u64(s).text("t"))
        #expect(linked.error == 0 && linked.node == s && linked.entry.links == 2)
    }

    @Test("New files belong to the calling user and group", .enabled(if: isRoot, "taking on other users takes root"))
    func madeAsTheCaller() throws {
        let guest = try Guest()
        guest.uid = 1234
        guest.gid = 5678
        for (name, answer) in [
            ("d", guest.makeDirectory("d", mode: 0o700)), ("f", guest.create("f", mode: 0o666, umask: 0o077)),
            ("s", guest.call(.symlink, 1, Bytes().text("s").text("t"))),
            ("n", guest.call(.makeNode, 1, Bytes().u32(0o010600).u32(0).u32(0).u32(0).text("n"))),
        ] {
            #expect(answer.error == 0 && answer.entry.uid == 1234 && answer.entry.gid == 5678)
            #expect(guest.tree.status(name)?.st_uid == 1234)
        }
        #expect(guest.lookup("f").entry.mode & 0o777 == 0o600)
        // Its own directory, closed to others: the guest has checked, and group-writable ones as well.
        #expect(guest.makeDirectory("inner", in: guest.lookup("d").node).error == 0)
        // And what is made next is root's again.
        guest.uid = 0
        guest.gid = 0
        #expect(guest.makeDirectory("r").entry.uid == 0)
        // A user that there cannot be makes nothing.
        guest.uid = .max
        #expect(guest.makeDirectory("nobody").error == EPERM)
        guest.uid = 0
        #expect(guest.makeDirectory("again").entry.uid == 0)
    }

    @Test("A read-only share refuses every change and serves reads")
    func readOnlyRefusesEverything() throws {
        let tree = try TemporaryTree()
        try tree.file("f", "safe")
        try tree.directory("d")
        let guest = try Guest(tree, isReadOnly: true)
        let f = guest.lookup("f").node
        #expect(guest.makeDirectory("x").error == EROFS && guest.unlink("f").error == EROFS)
        #expect(guest.create("x").error == EROFS && guest.create("f", O_RDONLY).error == EROFS)
        #expect(guest.rename("f", "g").error == EROFS)
        #expect(guest.call(.rename, 1, Bytes().u64(1).text("f").text("g")).error == EROFS)
        #expect(guest.call(.removeDirectory, 1, Bytes().text("d")).error == EROFS)
        #expect(guest.call(.link, 1, Bytes().u64(f).text("g")).error == EROFS)
        #expect(guest.call(.symlink, 1, Bytes().text("s").text("t")).error == EROFS)
        #expect(guest.call(.makeNode, 1, Bytes().u32(0o100600).u32(0).u32(0).u32(0).text("n")).error == EROFS)
        #expect(guest.call(.setAttributes, f, Bytes().u32(1).zeros(84)).error == EROFS)
        #expect(
            guest.call(.setExtendedAttribute, f, Bytes().u32(1).zeros(12).text("user.x").adding([1])).error == EROFS)
        #expect(guest.call(.removeExtendedAttribute, f, Bytes().text("user.x")).error == EROFS)
        #expect(guest.call(.temporaryFile, 1, Bytes().u32(2).u32(0o600).u32(0).u32(0).text("t")).error == EROFS)
        for flags in [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC] { #expect(guest.open(f, flags).error == EROFS) }
        let handle = guest.open(f, O_RDONLY).u64(0)
        #expect(guest.write(handle, 0, [1]).error == EROFS)
        #expect(guest.call(.allocate, f, Bytes().u64(handle).u64(0).u64(10).u64(0)).error == EROFS)
        #expect(
            guest.call(.copyRange, f, Bytes().u64(handle).u64(0).u64(f).u64(handle).u64(0).u64(1).u64(0)).error == EROFS
        )
        #expect(guest.call(.access, f, Bytes().u32(2).u32(0)).error == EROFS)
        #expect(guest.call(.access, f, Bytes().u32(4).u32(0)).error == 0)
        #expect(guest.read(handle, 0, 10).body == Array("safe".utf8))
        #expect(try tree.content("f") == "safe")
    }
}
