// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Linux
import Testing

@Suite("FileSystem: the inode table")
struct InodeTableTests {
    @Test("Far more files than descriptors stay reachable")
    func manyMoreFilesThanDescriptors() throws {
        // Forty places, while no file is open.
        let guest = try Guest(descriptorLimit: 64 + 2 * 20)
        var nodes: [UInt64] = []
        for index in 0..<300 {
            try guest.tree.directory("d\(index)")
            try guest.tree.file("d\(index)/f", "\(index)")
            let directory = guest.lookup("d\(index)").node
            let file = guest.lookup("f", in: directory).node
            nodes.append(file)
            // Takes a place for each file and directory.
            #expect(guest.call(.fileSystemStatus, file).error == 0)
        }
        #expect(guest.server.inodes.openPathCount <= 40)
        for (index, node) in nodes.enumerated() {
            let opened = guest.open(node, O_RDONLY)
            #expect(opened.error == 0)
            #expect(guest.read(opened.u64(0), 0, 10).body == Array("\(index)".utf8))
            #expect(guest.release(opened.u64(0)).error == 0)
        }
        #expect(guest.server.inodes.openPathCount <= 40)
    }

    @Test("An unlinked file stays reachable when descriptors are scarce")
    func filesWithoutANameKeepTheirPlace() throws {
        let guest = try Guest(descriptorLimit: 64 + 2 * 20)
        let made = guest.create("doomed")
        #expect(guest.write(Guest.createdHandle(made), 0, [1, 2, 3]).error == 0)
        #expect(guest.unlink("doomed").error == 0)
        #expect(guest.release(Guest.createdHandle(made)).error == 0)
        for index in 0..<100 {
            try guest.tree.file("f\(index)")
            #expect(guest.call(.fileSystemStatus, guest.lookup("f\(index)").node).error == 0)
        }
        #expect(guest.attributes(made.node).attributes.size == 3)
    }

    @Test("A file renamed on the host is stale until it is found by its new name")
    func movedOnTheHost() throws {
        let guest = try Guest()
        try guest.tree.file("f", "x")
        let node = guest.lookup("f").node
        try guest.tree.rename("f", "g")
        // Stale: Linux looks the name up again, and finds it gone.
        #expect(guest.attributes(node).error == ESTALE)
        #expect(guest.lookup("f").error == ENOENT)
        // Under its new name it is who it was.
        #expect(guest.lookup("g").node == node)
        #expect(guest.attributes(node).error == 0)
    }

    @Test("A file replaced on the host is stale, and its name leads to another node")
    func replacedOnTheHost() throws {
        let guest = try Guest()
        for round in 0..<50 {
            try guest.tree.file("f", "\(round)")
            let node = guest.lookup("f").node
            try guest.tree.delete("f")
            try guest.tree.file("f", "another")
            // Even where the file system gave the new file the old one's number.
            #expect([ESTALE].contains(guest.open(node, O_RDONLY).error))
            #expect(guest.lookup("f").node != node)
            try guest.tree.delete("f")
        }
    }

    @Test("A full inode table refuses new inodes, and forgetting makes room")
    func fullTable() throws {
        let tree = try TemporaryTree()
        for index in 0..<20 { try tree.file("f\(index)") }
        let table = try InodeTable(
            root: try FileDescriptor.open(tree.path, [.path, .directory]), limit: 10, descriptorLimit: 5)
        let root = try table.inode(1)
        let directory = try table.path(of: root)
        var known: [Inode] = []
        for index in 0..<20 {
            let status = try withPath("f\(index)") { (name) throws(Errno) in
                try HostFile.status(in: directory.borrowed, name: name)
            }
            do throws(Errno) {
                known.append(
                    try table.found(
                        status, in: root, at: directory.borrowed, name: nil, announcesSubmounts: false))
            } catch {
                #expect(error.rawValue == ENFILE)
            }
        }
        #expect(known.count == 9 && table.count == 10)
        table.forget(known[0].id, count: 1)
        #expect(table.count == 9)
    }

    @Test("Open files displace idle descriptors, and every file stays reachable")
    func openFilesTakeThePlacesOfPlaces() throws {
        let guest = try Guest(descriptorLimit: 64 + 2 * 20)
        var opened: [UInt64] = []
        for index in 0..<30 {
            try guest.tree.file("f\(index)", "\(index)")
            opened.append(guest.open(guest.lookup("f\(index)").node, O_RDWR).u64(0))
            #expect(guest.server.inodes.openPathCount <= 40 - opened.count)
        }
        #expect(guest.open(guest.lookup("f0").node, O_RDONLY).error == ENFILE)
        // Each is there still, by its name or without.
        for index in 0..<30 {
            let node = guest.lookup("f\(index)").node
            if index % 2 == 0 { #expect(guest.unlink("f\(index)").error == 0) }
            #expect(guest.attributes(node).attributes.links == (index % 2 == 0 ? 0 : 1))
            #expect(guest.call(.setAttributes, node, Bytes().u32(1).zeros(64).u32(0o600).zeros(16)).error == 0)
            #expect(guest.release(opened[index]).error == 0)
            // What has no name and is open no more can be reached all the same.
            #expect(guest.attributes(node).attributes.mode == 0o100600)
        }
    }

    @Test("Near the inode limit the guest may cache known names but no new ones")
    func aCrowdedGuestIsAskedToForget() throws {
        let guest = try Guest(inodeLimit: 64)
        var nodes: [UInt64] = []
        for index in 0..<500 {
            try guest.tree.file("f\(index)")
            let answer = guest.lookup("f\(index)")
            #expect(answer.error == 0)
            let isRemembered = answer.u64(16) > 0
            #expect(isRemembered == (index < 46), "file \(index)")
            // As Linux on virtio-fs does with a name that holds for no time.
            if isRemembered { nodes.append(answer.node) } else { guest.forget(answer.node) }
        }
        #expect(guest.server.inodes.count == 47)
        // Whom it knows it goes on knowing.
        #expect(guest.lookup("f0").u64(16) == 1 && guest.create("new").u64(16) == 0)
        // Listing names what is known, and no more.
        let handle = guest.call(.openDirectory, 1, Bytes().u64(0)).u64(0)
        let listed = guest.list(handle, plus: true)
        #expect(listed.count == 503 && listed.values.count { $0 != 0 && nodes.contains($0) } == 46)
        for node in nodes { guest.forget(node, .max) }
        #expect(guest.lookup("f1").u64(16) == 1)
    }

    @Test("A known name replaced on the host gets ENOMEM while the table is full")
    func aFullTableTakesNoNameAway() throws {
        let guest = try Guest(inodeLimit: 64)
        try guest.tree.file("known")
        let node = guest.lookup("known").node
        for index in 0..<62 {
            try guest.tree.file("f\(index)")
            #expect(guest.lookup("f\(index)").error == 0)
        }
        try guest.tree.file("one more")
        #expect(guest.lookup("one more").error == ENFILE)
        // Replaced on the host, and no room for the new one: only this answer leaves the guest's mounts alone.
        try guest.tree.file("new")
        try guest.tree.rename("new", "known")
        #expect(guest.lookup("known").error == ENOMEM)
        guest.forget(guest.lookup("f0").node, .max)
        #expect(guest.lookup("known").error == 0 && guest.lookup("known").node != node)
    }

    @Test("A path 400 levels deep is reopened after every descriptor was closed")
    func deepTrees() throws {
        let guest = try Guest()
        var node: UInt64 = 1
        for _ in 0..<400 { node = guest.makeDirectory("d", in: node).node }
        for _ in 0..<20 { guest.server.inodes.closePaths(512) }
        #expect(guest.server.inodes.openPathCount == 0)
        #expect(guest.create("bottom", in: node).error == 0)
        #expect(guest.attributes(node).error == 0)
    }

    @Test("Several workers create, rename and forget files at once without failure")
    func severalWorkersAtOnce() throws {
        let guest = try Guest()
        let server = guest.server
        let tree = guest.tree
        let failures = Counter()
        var threads: [Joiner] = []
        for number in 0..<4 {
            threads.append(
                try Joiner {
                    do {
                        let own = try Guest(sharing: server, tree)
                        for round in 0..<300 {
                            let made = own.create("worker-\(number)-\(round)")
                            let handle = Guest.createdHandle(made)
                            let data = [UInt8](repeating: UInt8(number), count: 5000)
                            if made.error != 0 || own.write(handle, 0, data).error != 0 { failures.add() }
                            if own.read(handle, 0, 5000).body != data { failures.add() }
                            if own.rename("worker-\(number)-\(round)", "common").error != 0 { failures.add() }
                            if own.attributes(made.node).error != 0 { failures.add() }
                            if own.release(handle).error != 0 { failures.add() }
                            own.forget(made.node)
                        }
                    } catch { failures.add() }
                })
        }
        for thread in threads { thread.join() }
        #expect(failures.count == 0)
        #expect(server.inodes.count == 1 && server.handles.count == 0 && server.inodes.openPathCount == 0)
    }
}
