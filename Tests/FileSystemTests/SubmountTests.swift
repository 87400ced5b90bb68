import CLinux
@testable import FileSystem
import Glibc
import Linux
import Testing

/// Mounts below the tree, made in a mount namespace of the test's own thread.
@Suite(.enabled(if: isRoot, "mounting takes root"))
struct SubmountTests {
    /// Runs `body` in a thread with mounts of its own, and rethrows.
    private func inOwnNamespace(_ body: @escaping @Sendable (Guest) throws -> Void) throws {
        let failure = Failure()
        let thread = try Joiner {
            do {
                try Process.unshare(.mount)
                try withPath("/") { (root) throws(Errno) in
                    // MS_REC | MS_PRIVATE
                    _ = try syscall(__NR_mount, 0, root, 0, 0x4000 | 0x40000, 0)
                }
                try body(try Guest())
            } catch { failure.error = error }
        }
        thread.join()
        if let error = failure.error { throw error }
    }

    private final class Failure: @unchecked Sendable {
        // @unchecked: written before the join, read after it.
        var error: (any Error)?
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
        try withPath("tmpfs") { (type) throws(Errno) in
            try withPath(target) { (target) throws(Errno) in _ = try syscall(__NR_mount, type, target, type, 0, 0) }
        }
    }

    private static func unmount(_ target: String) throws {
        try withPath(target) { (target) throws(Errno) in _ = try syscall(__NR_umount2, target, CL_MNT_DETACH) }
    }

    @Test func mountsAreSeenAndAnnounced() throws {
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

    @Test func aSubmountStaysUntilItsNameLeadsElsewhere() throws {
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

    @Test func aShareThatIsTakenOutIsLetGoOf() throws {
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

    @Test func theHostKeepsReadOnlyMounts() throws {
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

    @Test func aSingleFileShowsOnlyItself() throws {
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
