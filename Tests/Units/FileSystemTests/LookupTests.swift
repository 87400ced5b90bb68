// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Linux
import Testing

@Suite("FileSystem: lookup")
struct LookupTests {
    @Test("LOOKUP returns the host's attributes, valid for one second")
    func findsWithAttributes() throws {
        let guest = try Guest()
        try guest.tree.file("a", "four")
        let answer = guest.lookup("a")
        let status = try #require(guest.tree.status("a"))
        #expect(answer.error == 0 && answer.body.count == 128)
        #expect(answer.entry.inode == UInt64(status.st_ino) && answer.entry.size == 4 && answer.entry.links == 1)
        #expect(answer.entry.mode == 0o100644 && answer.entry.uid == geteuid())
        #expect(answer.u64(16) == 1 && answer.u64(24) == 1)  // a second each
        #expect(guest.attributes(answer.node).attributes.size == 4)
    }

    @Test("LOOKUP reports missing names, parents that are files and unknown nodes")
    func errors() throws {
        let guest = try Guest()
        try guest.tree.file("a")
        #expect(guest.lookup("absent").error == ENOENT)
        #expect(guest.lookup("b", in: guest.lookup("a").node).error == ENOTDIR)
        #expect(guest.lookup("a", in: 77).error == ESTALE)
        #expect(guest.lookup("a", in: 0).error == ESTALE)
        #expect(guest.lookup("a", in: .max).error == ESTALE)
        #expect(guest.lookup("a", in: 1 << 32 | 1).error == ESTALE)
    }

    @Test(
        "Every operation refuses a name that is no single path component",
        arguments: ["..", ".", "a/b", "/", "../x", "/etc/passwd"])
    func refusesWhatIsNoComponent(name: String) throws {
        let guest = try Guest()
        #expect(guest.lookup(name).error == EINVAL)
        #expect(guest.makeDirectory(name).error == EINVAL)
        #expect(guest.unlink(name).error == EINVAL)
        #expect(guest.create(name).error == EINVAL)
        #expect(guest.call(.symlink, 1, Bytes().text(name).text("target")).error == EINVAL)
        #expect(guest.call(.makeNode, 1, Bytes().u32(0o100644).u32(0).u32(0).u32(0).text(name)).error == EINVAL)
        #expect(guest.call(.removeDirectory, 1, Bytes().text(name)).error == EINVAL)
        #expect(guest.call(.link, 1, Bytes().u64(1).text(name)).error == EINVAL)
        #expect(guest.rename(name, "x").error == EINVAL)
        #expect(guest.rename("x", name).error == EINVAL)
    }

    @Test("Names end with a NUL and have at most 255 bytes")
    func namesAreBounded() throws {
        let guest = try Guest()
        let longest = String(repeating: "n", count: 255)
        try guest.tree.file(longest)
        #expect(guest.lookup(longest).error == 0)
        #expect(guest.lookup(longest + "n").error == ENAMETOOLONG)
        #expect(guest.lookup("").error == ENOENT)
        // Three bytes of name and no NUL.
        #expect(guest.call(.lookup, 1, Bytes().adding([97, 97, 97])).error == EINVAL)
        #expect(guest.call(.lookup, 1).error == EINVAL)
        // The second name of two is missing.
        #expect(guest.call(.rename2, 1, Bytes().u64(1).u64(0).text("a")).error == EINVAL)
    }

    @Test("Names may be any bytes")
    func namesNeedNotBeText() throws {
        let guest = try Guest()
        let raw = Bytes().u32(0o755).u32(0).adding([0xff, 0xfe, 0x0a, 0x80, 0])
        #expect(guest.call(.makeDirectory, 1, raw).error == 0)
        #expect(guest.call(.lookup, 1, Bytes().adding([0xff, 0xfe, 0x0a, 0x80, 0])).error == 0)
        #expect(guest.call(.removeDirectory, 1, Bytes().adding([0xff, 0xfe, 0x0a, 0x80, 0])).error == 0)
    }

    @Test("Hard links share one node")
    func hardLinksAreOneInode() throws {
        let guest = try Guest()
        try guest.tree.file("a")
        let node = guest.lookup("a").node
        let linked = guest.call(.link, 1, Bytes().u64(node).text("b"))
        #expect(linked.error == 0 && linked.node == node && linked.entry.links == 2)
        #expect(guest.lookup("b").node == node)
    }

    @Test("A symlink is never followed")
    func aSymlinkIsNeverFollowed() throws {
        let guest = try Guest()
        try guest.tree.symlink("etc", to: "/etc")
        let link = guest.lookup("etc")
        #expect(link.entry.mode & 0o170000 == 0o120000)
        #expect(guest.lookup("passwd", in: link.node).error == ENOTDIR)
        #expect(guest.call(.openDirectory, link.node, Bytes().u64(0)).error == ENOTDIR)
        #expect(guest.open(link.node, O_RDONLY).error == ELOOP)
        #expect(guest.create("x", in: link.node).error == ENOTDIR)
        let target = guest.call(.readLink, link.node)
        #expect(target.body == Array("/etc".utf8))
        #expect(guest.call(.readLink, 1).error == EINVAL)
    }

    /// A directory that the guest knows becomes a symlink out of the tree between two requests.
    @Test("A known directory or file swapped for a symlink is stale")
    func swappedForASymlink() throws {
        let guest = try Guest()
        try guest.tree.directory("d")
        try guest.tree.file("f", "mine")
        let directory = guest.lookup("d").node
        let file = guest.lookup("f").node
        let unused = guest.lookup("d").node
        try guest.tree.delete("d")
        try guest.tree.symlink("d", to: "/etc")
        try guest.tree.delete("f")
        try guest.tree.symlink("f", to: "/etc/passwd")
        #expect(guest.lookup("passwd", in: directory).error == ESTALE)
        #expect(guest.call(.openDirectory, directory, Bytes().u64(0)).error == ESTALE)
        #expect(guest.create("x", in: directory).error == ESTALE)
        #expect(guest.open(file, O_RDONLY).error == ESTALE)
        #expect(guest.attributes(unused).error == ESTALE)
        #expect(guest.lookup("d").entry.mode & 0o170000 == 0o120000)
    }

    /// And one whose place is open already keeps to the directory it was, wherever that is.
    @Test("An open directory stays itself after the host moves it")
    func swappedAfterUse() throws {
        let guest = try Guest()
        try guest.tree.directory("d")
        try guest.tree.file("d/inside")
        let directory = guest.lookup("d").node
        #expect(guest.lookup("inside", in: directory).error == 0)
        try guest.tree.rename("d", "moved")
        try guest.tree.symlink("d", to: "/etc")
        #expect(guest.lookup("inside", in: directory).error == 0)
        #expect(guest.lookup("passwd", in: directory).error == ENOENT)
    }

    /// A name that is swapped all the time between a directory and a symlink to the host's /etc.
    @Test("Swapping a directory and a symlink all the time never leads out of the tree")
    func swappingRace() throws {
        let guest = try Guest()
        try guest.tree.directory("real")
        try guest.tree.file("real/shadow", "harmless")
        try guest.tree.symlink("link", to: "/etc")
        try guest.tree.directory("x")
        let root = guest.tree.path
        let over = EndFlag()
        let swapper = try Thread(named: "swapper") {
            while !over.isSet {
                exchangeNames(root + "/real", root + "/link")
            }
        }
        var reached = 0
        for _ in 0..<3000 {
            let node = guest.lookup("real")
            guard node.error == 0 else { continue }
            let file = guest.lookup("shadow", in: node.node)
            if file.error == 0 {
                let opened = guest.open(file.node, O_RDONLY)
                if opened.error == 0 {
                    #expect(guest.read(opened.u64(0), 0, 64).body == Array("harmless".utf8))
                    reached += 1
                    _ = guest.release(opened.u64(0))
                }
                guest.forget(file.node)
            }
            guest.forget(node.node)
        }
        over.set()
        swapper.join()
        #expect(reached > 0)
    }
}
