// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import Linux
import Testing

/// Mounts below the tree, made in a mount namespace of the test's own thread.
@Suite(.enabled(if: isRoot, "mounting takes root"))
struct SubmountTests {
    private func inOwnNamespace(_ body: @escaping @Sendable (Guest) throws -> Void) throws {
        try FileSystemTests.inOwnNamespace { try body(try Guest()) }
    }

    private static func bind(_ source: String, _ target: String, readOnly: Bool = false) throws {
        try withPath(source) { (source) throws(Errno) in
            try withPath(target) { (target) throws(Errno) in
                _ = try syscall(__NR_mount, source, target, 0, 0x1000, 0)
                if readOnly { _ = try syscall(__NR_mount, 0, target, 0, 0x1000 | 0x20 | 1, 0) }
            }
        }
    }

    private static func mountMemory(_ target: String) throws {
        try mount("tmpfs", on: target)
    }

    private static func unmount(_ target: String) throws {
        try withPath(target) { (target) throws(Errno) in _ = try syscall(__NR_umount2, target, CL_MNT_DETACH) }
    }

    @Test("Mounts made while the guest runs are announced as submounts")
    func mountsAreSeenAndAnnounced() throws {
        try inOwnNamespace { guest in
            let tree = guest.tree
            for name in ["0", "0/rootfs", "plain"] { try tree.directory(name) }
            let zero = guest.lookup("0").node
            let before = guest.lookup("rootfs", in: zero)
            #expect(before.entry.flags == 0)
            // A container joins while the guest runs.
            try Self.mountMemory(tree.at("0/rootfs"))
            try tree.file("0/rootfs/inside", "new")
            let after = guest.lookup("rootfs", in: zero)
            #expect(after.entry.flags == 1 && after.node != before.node)
            #expect(guest.lookup("inside", in: after.node).entry.size == 3)
            #expect(guest.attributes(after.node).attributes.flags == 1)
            #expect(guest.lookup("plain").entry.flags == 0)
            // Between the two no rename and no link.
            #expect(guest.rename("inside", "outside", from: after.node, to: zero).error == EXDEV)
            // Read by listing as well.
            let handle = guest.call(.openDirectory, zero, Bytes().u64(0)).u64(0)
            #expect(guest.list(handle, plus: true)["rootfs"] == after.node)
            _ = guest.release(handle, isDirectory: true)
            try Self.unmount(tree.at("0/rootfs"))
        }
    }

    @Test("A submount outlives FORGET until its name leads elsewhere")
    func aSubmountStaysUntilItsNameLeadsElsewhere() throws {
        try inOwnNamespace { guest in
            let tree = guest.tree
            try tree.directory("m")
            try Self.mountMemory(tree.at("m"))
            try tree.file("m/f", "x")
            let submount = guest.lookup("m").node
            // Linux before 6.8 forgets it while it uses it.
            guest.forget(submount)
            #expect(guest.attributes(submount).error == 0)
            #expect(guest.lookup("f", in: submount).error == 0)
            #expect(guest.lookup("m").node == submount)
            guest.forget(submount)
            try Self.unmount(tree.at("m"))
            let empty = guest.lookup("m")
            #expect(empty.error == 0 && empty.node != submount && empty.entry.flags == 0)
            #expect(guest.attributes(submount).error == ESTALE)
        }
    }

    @Test("A share taken out is forgotten, and other shares stay")
    func aShareThatIsTakenOutIsLetGoOf() throws {
        try inOwnNamespace { guest in
            let tree = guest.tree
            for name in ["gone", "gone/rootfs", "stays", "stays/rootfs"] { try tree.directory(name) }
            for name in ["gone/rootfs", "stays/rootfs"] { try Self.mountMemory(tree.at(name)) }
            let parent = guest.lookup("gone").node
            let submount = guest.lookup("rootfs", in: parent).node
            let other = guest.lookup("rootfs", in: guest.lookup("stays").node).node
            let count = guest.server.inodes.count
            try Self.unmount(tree.at("gone/rootfs"))
            for name in ["gone/rootfs", "gone"] { #expect(unsafe rmdir(tree.at(name)) == 0) }
            // The guest asks for the share, hears that it is not there, and forgets what was below.
            #expect(guest.lookup("gone").error == ENOENT)
            guest.forget(submount)
            guest.forget(parent)
            #expect(guest.attributes(submount).error == ESTALE)
            #expect(guest.server.inodes.count == count - 2)
            // Another's, which the guest forgets though it uses it, stays.
            guest.forget(other)
            #expect(guest.attributes(other).error == 0)
            try Self.unmount(tree.at("stays/rootfs"))
        }
    }

    @Test("Handles and nodes of an unmounted share are revoked, and others go on")
    func whatIsTakenOutIsRevoked() throws {
        try inOwnNamespace { guest in
            let tree = guest.tree
            for name in ["source", "source/sub", "a", "a/rootfs", "b", "b/rootfs"] { try tree.directory(name) }
            for name in ["source/file", "source/sub/file"] { try tree.file(name, "before") }
            try tree.file("a/one file")
            try Self.bind(tree.at("source"), tree.at("a/rootfs"))
            try Self.bind(tree.at("source/file"), tree.at("a/one file"))
            try Self.bind(tree.at("source"), tree.at("b/rootfs"))
            let a = guest.lookup("a").node
            let root = guest.lookup("rootfs", in: a).node
            let file = guest.lookup("file", in: root).node
            let sub = guest.lookup("sub", in: root).node
            let single = guest.lookup("one file", in: a).node
            let handle = guest.open(file, O_RDWR).u64(0)
            let singleHandle = guest.open(single, O_RDWR).u64(0)
            let directory = guest.call(.openDirectory, sub, Bytes().u64(0)).u64(0)
            // Another has the same files, by a way of its own.
            let other = guest.lookup("rootfs", in: guest.lookup("b").node).node
            let otherHandle = guest.open(guest.lookup("file", in: other).node, O_RDWR).u64(0)
            for name in ["a/rootfs", "a/one file"] { try Self.unmount(tree.at(name)) }
            // A mount that comes then may have the number of one that went.
            try tree.directory("a/later")
            try Self.bind(tree.at("source"), tree.at("a/later"))
            _ = guest.lookup("rootfs", in: a)

            #expect(guest.read(handle, 0, 10).error == EBADF && guest.read(singleHandle, 0, 10).error == EBADF)
            #expect(guest.write(handle, 0, [1]).error == EBADF && guest.write(singleHandle, 0, [1]).error == EBADF)
            #expect(guest.call(.readDirectory, sub, Bytes().u64(directory).u64(0).u32(4096).zeros(20)).error == EBADF)
            for node in [root, sub, file, single] {
                #expect(guest.attributes(node).error == ESTALE && guest.open(node, O_RDONLY).error == ESTALE)
            }
            #expect(guest.lookup("file", in: sub).error == ESTALE && guest.create("x", in: sub).error == ESTALE)
            // Closing and forgetting hurt nobody.
            _ = guest.release(handle)
            guest.forget(file)
            #expect(guest.read(otherHandle, 0, 10).body == Array("before".utf8))
            #expect(guest.attributes(other).error == 0)
            for name in ["a/later", "b/rootfs"] { try Self.unmount(tree.at(name)) }
        }
    }

    @Test("One share cannot use up the descriptors of another")
    func aShareLeavesOthersDescriptors() throws {
        try FileSystemTests.inOwnNamespace {
            let guest = try Guest(descriptorLimit: 64 + 1000)
            let tree = guest.tree
            for name in ["greedy", "modest"] {
                try tree.directory(name)
                try Self.mountMemory(tree.at(name))
                for index in 0..<900 { try tree.file("\(name)/\(index)") }
            }
            func openAll(_ name: String) -> Int {
                let directory = guest.lookup(name).node
                return (0..<900).count {
                    guest.open(guest.lookup(String($0), in: directory).node, O_RDONLY).error == 0
                }
            }
            #expect(guest.lookup("modest").error == 0)
            let limit = guest.server.inodes.openFiles.limit
            let greedy = openAll("greedy")
            #expect(greedy > limit * 9 / 10 && greedy < limit)
            #expect(openAll("modest") > limit / 20)
            for name in ["greedy", "modest"] { try Self.unmount(tree.at(name)) }
        }
    }

    @Test("A mount that is read-only on the host refuses every change")
    func theHostKeepsReadOnlyMounts() throws {
        try inOwnNamespace { guest in
            let tree = guest.tree
            for name in ["source", "ro", "rw"] { try tree.directory(name) }
            try tree.file("source/f", "safe")
            try Self.bind(tree.at("source"), tree.at("ro"), readOnly: true)
            try Self.bind(tree.at("source"), tree.at("rw"))
            let closed = guest.lookup("ro").node
            let open = guest.lookup("rw").node
            let file = guest.lookup("f", in: closed).node
            let same = guest.lookup("f", in: open).node
            // The same file through two mounts is two inodes: what one may, the other may not.
            #expect(file != same)
            #expect(guest.open(file, O_RDWR).error == EROFS && guest.open(file, O_RDONLY).error == 0)
            #expect(guest.open(same, O_RDWR).error == 0)
            #expect(guest.create("x", in: closed).error == EROFS)
            #expect(guest.makeDirectory("x", in: closed).error == EROFS)
            #expect(guest.unlink("f", in: closed).error == EROFS)
            #expect(guest.rename("f", "g", from: closed, to: closed).error == EROFS)
            #expect(guest.call(.setAttributes, file, Bytes().u32(1).zeros(84)).error == EROFS)
            #expect(guest.call(.setAttributes, file, Bytes().u32(8).zeros(84)).error == EROFS)
            #expect(
                guest.call(.setExtendedAttribute, file, Bytes().u32(1).zeros(12).text("user.x").adding([1])).error
                    == EROFS)
            #expect(try tree.content("source/f") == "safe")
            try Self.unmount(tree.at("ro"))
            try Self.unmount(tree.at("rw"))
        }
    }

    @Test("A single shared file shows nothing around it")
    func aSingleFileShowsOnlyItself() throws {
        try inOwnNamespace { guest in
            let tree = guest.tree
            try tree.directory("secret")
            try tree.file("secret/shown", "this one")
            try tree.file("target")
            try Self.bind(tree.at("secret/shown"), tree.at("target"))
            let target = guest.lookup("target")
            #expect(target.entry.size == 8 && target.entry.flags == 0)
            let handle = guest.open(target.node, O_RDONLY).u64(0)
            #expect(guest.read(handle, 0, 100).body == Array("this one".utf8))
            #expect(guest.lookup("..", in: target.node).error == EINVAL)
            #expect(guest.unlink("target").error == EBUSY)
            try Self.unmount(tree.at("target"))
        }
    }
}
