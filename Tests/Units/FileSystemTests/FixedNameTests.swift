// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import Linux
import SandboxPlan
import Testing

/// What the agent mounts on keeps its inode, and so its mount, whatever the host does.
@Suite struct FixedNameTests {
    private struct Fixed {
        let guest: Guest
        let etc: UInt64
        let hosts: UInt64
        let volume: UInt64
        var tree: TemporaryTree { guest.tree }

        /// Mounts on a file and a directory, and a directory between them and the root.
        init() throws {
            guest = try Guest()
            for name in ["etc", "etc/volume"] { try guest.tree.directory(name) }
            try guest.tree.file("etc/hosts", "image")
            etc = guest.lookup("etc").node
            hosts = guest.lookup("hosts", in: etc).node
            volume = guest.lookup("volume", in: etc).node
            for node in [hosts, volume] { #expect(fix(node).error == 0) }
        }

        /// As getxattr(2) with no room asks.
        func fix(_ node: UInt64) -> Guest.Answer {
            guest.call(
                .getExtendedAttribute, node, Bytes().u64(0).text(GuestConvention.mountPointAttribute.description))
        }

        /// Whether Linux would keep every mount when it asks for the names again.
        var keepsMounts: Bool {
            let answers = [guest.lookup("etc"), guest.lookup("hosts", in: etc), guest.lookup("volume", in: etc)]
            return answers.allSatisfy { $0.error == 0 } && answers.map(\.node) == [etc, hosts, volume]
                && answers.map { $0.entry.mode & 0o170000 } == [0o040000, 0o100000, 0o040000]
                && answers.allSatisfy { $0.entry.flags == 0 }
        }

        func make(_ name: String) -> Int32 { guest.create(name, in: etc).error }
    }

    @Test("Mount points keep their inode when the host removes them")
    func whatIsRemovedOnTheHost() throws {
        let fixed = try Fixed()
        try fixed.tree.delete("etc/hosts")
        try fixed.tree.delete("etc/volume")
        #expect(fixed.keepsMounts)
        #expect(fixed.make("file") == 0)
        for name in ["etc/file", "etc"] { try fixed.tree.delete(name) }
        #expect(fixed.keepsMounts)
        #expect(fixed.make("other") == ENOENT)
        // And made again: the guest's files are there.
        for name in ["etc", "etc/volume"] { try fixed.tree.directory(name) }
        try fixed.tree.file("etc/hosts")
        #expect(fixed.keepsMounts)
        #expect(fixed.make("other") == 0 && fixed.tree.status("etc/other") != nil)
    }

    @Test("Mount points keep their inode when the host replaces them")
    func whatIsReplacedOnTheHost() throws {
        let fixed = try Fixed()
        try fixed.tree.directory("new")
        try fixed.tree.file("new/passwd", "new")
        try fixed.tree.rename("etc", "old")
        try fixed.tree.rename("new", "etc")
        #expect(fixed.keepsMounts)
        // The directory is the new one, and what stood in the old one is elsewhere.
        #expect(fixed.guest.lookup("passwd", in: fixed.etc).entry.size == 3)
        #expect(fixed.make("made") == 0 && fixed.tree.status("etc/made") != nil)
        let old = guestNode(fixed, "old")
        #expect(old != fixed.etc && fixed.guest.lookup("hosts", in: old).entry.size == 5)
        #expect(fixed.keepsMounts)
        // Files in the place of directories, and the other way round.
        for name in ["etc/passwd", "etc/made", "etc"] { try fixed.tree.delete(name) }
        try fixed.tree.file("etc", "a file")
        #expect(fixed.keepsMounts)
        try fixed.tree.delete("etc")
        try fixed.tree.symlink("etc", to: "old")
        #expect(fixed.keepsMounts)
        try fixed.tree.delete("etc")
        for name in ["etc", "etc/hosts"] { try fixed.tree.directory(name) }
        #expect(fixed.keepsMounts)
    }

    private func guestNode(_ fixed: Fixed, _ name: String) -> UInt64 { fixed.guest.lookup(name).node }

    @Test("Mount points keep their inode when the host renames their directory")
    func whatIsRenamedOnTheHost() throws {
        let fixed = try Fixed()
        try fixed.tree.rename("etc", "moved")
        #expect(fixed.keepsMounts)
        // Both names lead to the directory; under the new one it is another inode, or Linux would move the mounts there.
        let moved = guestNode(fixed, "moved")
        #expect(moved != fixed.etc && guestNode(fixed, "moved") == moved)
        #expect(fixed.make("made") == 0 && fixed.tree.status("moved/made") != nil)
        #expect(fixed.keepsMounts)
        try fixed.tree.rename("moved", "etc")
        #expect(fixed.keepsMounts && fixed.guest.lookup("moved").error == ENOENT)
    }

    @Test("READDIRPLUS and LOOKUP give mount points the same inode")
    func listingsSayTheSame() throws {
        let fixed = try Fixed()
        try fixed.tree.rename("etc", "old")
        for name in ["etc", "etc/volume"] { try fixed.tree.directory(name) }
        try fixed.tree.file("etc/hosts", "another")
        let top = fixed.guest.call(.openDirectory, 1, Bytes().u64(0)).u64(0)
        #expect(fixed.guest.list(top, plus: true)["etc"] == fixed.etc)
        let etc = fixed.guest.call(.openDirectory, fixed.etc, Bytes().u64(0)).u64(0)
        let names = fixed.guest.list(etc, plus: true)
        #expect(names["hosts"] == fixed.hosts && names["volume"] == fixed.volume)
        #expect(fixed.keepsMounts)
    }

    @Test("The guest's own renames and removals of mount points take effect")
    func theGuestsOwnChangesCount() throws {
        let fixed = try Fixed()
        #expect(fixed.guest.rename("etc", "renamed").error == 0)
        #expect(fixed.guest.lookup("etc").error == ENOENT)
        #expect(fixed.guest.lookup("renamed").node == fixed.etc)
        try fixed.tree.rename("renamed", "x")
        #expect(fixed.guest.lookup("renamed").node == fixed.etc)
        try fixed.tree.rename("x", "renamed")
        #expect(fixed.guest.call(.removeDirectory, fixed.etc, Bytes().text("volume")).error == 0)
        #expect(fixed.guest.lookup("volume", in: fixed.etc).error == ENOENT)
        try fixed.tree.file("replacement")
        #expect(fixed.guest.rename("replacement", "hosts", to: fixed.etc).error == 0)
        #expect(fixed.guest.lookup("hosts", in: fixed.etc).node != fixed.hosts)
    }

    @Test("A mount point the guest forgets is no longer kept")
    func nothingStaysWhenTheGuestForgets() throws {
        let fixed = try Fixed()
        #expect(fixed.keepsMounts)
        for node in [fixed.hosts, fixed.volume, fixed.etc] { fixed.guest.forget(node, .max) }
        #expect(fixed.guest.server.inodes.count == 1 && fixed.guest.server.inodes.openPathCount == 0)
        try fixed.tree.delete("etc/volume")
        #expect(fixed.guest.lookup("volume", in: fixed.guest.lookup("etc").node).error == ENOENT)
    }

    @Test("A mount point's directory stays usable after idle descriptors are closed")
    func placesStayOpen() throws {
        let fixed = try Fixed()
        fixed.guest.server.inodes.closePaths(100)
        try fixed.tree.rename("etc", "old")
        #expect(fixed.keepsMounts && fixed.make("made") == 0)
    }

    @Test("The number of kept mount points is bounded")
    func thereAreBounds() throws {
        let fixed = try Fixed()
        let limit = fixed.guest.server.inodes.fixedLimit
        for index in 0..<limit {
            try fixed.tree.file("f\(index)")
            let answer = fixed.fix(fixed.guest.lookup("f\(index)").node)
            #expect(answer.error == (index < limit - 3 ? 0 : ENFILE))
        }
        // The root is always there, and a file without a name cannot be kept.
        #expect(fixed.fix(1).error == 0)
        let made = fixed.guest.create("unlinked")
        #expect(fixed.guest.unlink("unlinked").error == 0)
        #expect(fixed.fix(made.node).error == ESTALE)
        #expect(fixed.fix(12345).error == ESTALE)
        #expect(fixed.keepsMounts)
    }
}
