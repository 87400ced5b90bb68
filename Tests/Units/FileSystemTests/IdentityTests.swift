// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Linux
import Testing

/// Files stay who they are whatever the host's file system does with their numbers.
@Suite(.enabled(if: isRoot, "mounting takes root"))
struct IdentityTests {
    private static func lay(_ tree: TemporaryTree) throws {
        for name in ["d", "d/sub", "d/sub/sub"] { try tree.directory(name) }
        for name in ["d/file", "d/mode", "d/first", "d/sub/file"] { try tree.file(name, "as it was") }
        try tree.link("d/first", "d/second")
    }

    @Test("Files and directories keep their node through an overlay copy-up", arguments: TreePlace.allCases)
    func aCopyUpChangesNobody(place: TreePlace) throws {
        try place.withTree(Self.lay) { tree in
            let guest = try Guest(tree)
            let directory = guest.lookup("d").node
            let sub = guest.lookup("sub", in: directory).node
            let subSub = guest.lookup("sub", in: sub).node
            let file = guest.lookup("file", in: directory).node
            let mode = guest.lookup("mode", in: directory).node
            // As many places as there can be are closed: nothing but the numbers is left.
            guest.server.inodes.closePaths(100)
            try tree.append("d/file", "!")
            try tree.file("d/sub/sub/made")
            #expect(unsafe chmod(tree.at("d/mode"), 0o600) == 0)
            let keepsNumbers = place != .overlayOnOverlay
            if keepsNumbers {
                #expect(guest.lookup("file", in: directory).node == file)
                #expect(guest.lookup("mode", in: directory).node == mode)
                #expect(guest.attributes(file).attributes.size == 10 && guest.attributes(subSub).error == 0)
                #expect(guest.lookup("sub", in: sub).node == subSub)
                #expect(guest.lookup("sub", in: directory).node == sub)
                #expect(guest.lookup("d").node == directory)
            }
            // By listing as well.
            let now = guest.lookup("d").node
            let handle = guest.call(.openDirectory, now, Bytes().u64(0)).u64(0)
            #expect(guest.list(handle, plus: true)["sub"] == guest.lookup("sub", in: now).node)
            _ = guest.release(handle, isDirectory: true)
        }
    }

    @Test("An open file keeps its node and content through a copy-up", arguments: TreePlace.allCases)
    func anOpenFileIsOne(place: TreePlace) throws {
        try place.withTree(Self.lay) { tree in
            let guest = try Guest(tree)
            let directory = guest.lookup("d").node
            for name in ["file", "first", "second"] {
                let node = guest.lookup(name, in: directory).node
                let reader = guest.open(node, O_RDONLY).u64(0)
                let writer = guest.open(node, O_RDWR)
                #expect(writer.error == 0)
                #expect(guest.write(writer.u64(0), 0, Array("IT".utf8)).error == 0)
                // Who opens it now holds the same file as they: locks are the guest's, by its inodes.
                #expect(guest.lookup(name, in: directory).node == node)
                try tree.append("d/\(name)", "!")
                #expect(guest.lookup(name, in: directory).node == node)
                let content = try tree.content("d/\(name)")
                #expect(content.hasPrefix("IT it was!"))
                #expect(guest.attributes(node).attributes.size == UInt64(content.utf8.count))
                #expect(guest.read(reader, 0, 100).body == Array(content.utf8))
                _ = guest.release(reader)
                _ = guest.release(writer.u64(0))
            }
        }
    }

    @Test("A directory in use keeps its node through a copy-up", arguments: TreePlace.allCases)
    func aDirectoryInUseIsOne(place: TreePlace) throws {
        try place.withTree(Self.lay) { tree in
            let guest = try Guest(tree)
            let directory = guest.lookup("d").node
            let sub = guest.lookup("sub", in: directory).node
            // Its place is open: something was looked up in it.
            #expect(guest.lookup("file", in: sub).error == 0)
            try tree.file("d/sub/made")
            try tree.append("d/sub/file", "!")
            #expect(guest.lookup("sub", in: directory).node == sub && guest.lookup("d").node == directory)
            #expect(guest.lookup("made", in: sub).error == 0)
        }
    }

    @Test("A file that reuses an inode number gets another node", arguments: TreePlace.allCases)
    func aNumberUsedAgainIsAnother(place: TreePlace) throws {
        try place.withTree { tree in
            let guest = try Guest(tree)
            for round in 0..<30 {
                try tree.directory("old")
                let old = guest.lookup("old").node
                try tree.delete("old")
                // Another name: a guest's working directory must not become another directory.
                try tree.directory("new")
                #expect(guest.lookup("new").node != old, "round \(round)")
                try tree.delete("new")
                try tree.file("f", "\(round)")
                let file = guest.lookup("f").node
                let handle = guest.open(file, O_RDONLY).u64(0)
                try tree.delete("f")
                try tree.file("f", "another")
                #expect(guest.lookup("f").node != file)
                #expect(guest.read(handle, 0, 10).body == Array("\(round)".utf8))
                _ = guest.release(handle)
                try tree.delete("f")
            }
        }
    }
}
