@testable import FileSystem
import Glibc
import Linux
import Testing

@Suite struct InodeTableTests {
    @Test func manyMoreFilesThanDescriptors() throws {
        // Twenty places and twenty handles.
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
        #expect(guest.server.inodes.openPathCount <= 20)
        for (index, node) in nodes.enumerated() {
            let opened = guest.open(node, O_RDONLY)
            #expect(opened.error == 0)
            #expect(guest.read(opened.u64(0), 0, 10).body == Array("\(index)".utf8))
            #expect(guest.release(opened.u64(0)).error == 0)
        }
        #expect(guest.server.inodes.openPathCount <= 20)
    }

    @Test func filesWithoutANameKeepTheirPlace() throws {
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

    @Test func movedOnTheHost() throws {
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

    @Test func replacedOnTheHost() throws {
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

    @Test func fullTable() throws {
        let tree = try TemporaryTree()
        for index in 0..<20 { try tree.file("f\(index)") }
        let table = try InodeTable(
            root: try FileDescriptor.open(tree.path, [.path, .directory]), limit: 10, pathLimit: 5)
        let root = try table.inode(1)
        let directory = try table.path(of: root)
        var known: [Inode] = []
        for index in 0..<20 {
            let status = try withPath("f\(index)") { (name) throws(Errno) in
                try HostFile.status(in: directory.number, name: name)
            }
            do throws(Errno) {
                known.append(try table.found(status, in: root, name: nil, announcesSubmounts: false))
            } catch {
                #expect(error.rawValue == ENFILE)
            }
        }
        #expect(known.count == 9 && table.count == 10)
        table.forget(known[0].id, count: 1)
        #expect(table.count == 9)
    }

    @Test func deepTrees() throws {
        let guest = try Guest()
        var node: UInt64 = 1
        for _ in 0..<400 { node = guest.makeDirectory("d", in: node).node }
        for _ in 0..<20 { guest.server.inodes.closePaths(512) }
        #expect(guest.server.inodes.openPathCount == 0)
        #expect(guest.create("bottom", in: node).error == 0)
        #expect(guest.attributes(node).error == 0)
    }

    @Test func severalWorkersAtOnce() throws {
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
