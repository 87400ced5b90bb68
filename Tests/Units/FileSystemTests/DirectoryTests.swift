// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Testing

@Suite("FileSystem: directories and space")
struct DirectoryTests {
    private func openDirectory(_ guest: Guest, _ node: UInt64 = 1) -> UInt64 {
        guest.call(.openDirectory, node, Bytes().u64(0)).u64(0)
    }

    @Test(
        "Every entry of a large directory is listed, and again from the start",
        arguments: [(false, 4096), (true, 4096), (true, 700), (false, 65536)])
    func listsEverythingOnce(plus: Bool, size: Int) throws {
        let guest = try Guest()
        for index in 0..<10_000 { try guest.tree.file("entry-\(index)") }
        let handle = openDirectory(guest)
        let names = guest.list(handle, plus: plus, size: UInt32(size))
        #expect(names.count == 10_002)
        #expect(names["."] == 0 && names[".."] == 0)
        #expect((0..<10_000).allSatisfy { names["entry-\($0)"] != nil })
        // From the start again, on the same handle.
        #expect(guest.list(handle, plus: false).count == 10_002)
        #expect(guest.release(handle, isDirectory: true).error == 0)
        if plus {
            // Each listed name counts as one lookup, and none has a descriptor.
            #expect(guest.server.inodes.count == 10_001 && guest.server.inodes.openPathCount == 0)
            for (name, node) in names where node != 0 {
                #expect(guest.lookup(name).node == node)
                guest.forget(node, 2)
            }
        }
        #expect(guest.server.inodes.count == 1)
    }

    @Test("Removing entries while they are listed skips none")
    func removalWhileListing() throws {
        let guest = try Guest()
        for index in 0..<500 { try guest.tree.file("entry-\(index)") }
        let handle = openDirectory(guest)
        var removed = 0
        var offset: UInt64 = 0
        while true {
            let answer = guest.call(.readDirectory, 1, Bytes().u64(handle).u64(offset).u32(512).zeros(20))
            if answer.body.isEmpty { break }
            var position = 0
            while position < answer.body.count {
                let count = Int(answer.u32(position + 16))
                let name = String(decoding: answer.body[position + 24..<position + 24 + count], as: UTF8.self)
                if !name.hasPrefix("."), guest.unlink(name).error == 0 { removed += 1 }
                offset = answer.u64(position + 8)
                position += (24 + count + 7) & ~7
            }
        }
        #expect(removed == 500)
    }

    @Test("Directory operations refuse wrong handles, nodes and sizes")
    func errors() throws {
        let guest = try Guest()
        try guest.tree.file("a-name-of-some-length")
        let file = guest.lookup("a-name-of-some-length").node
        #expect(guest.call(.openDirectory, file, Bytes().u64(0)).error == ENOTDIR)
        let handle = openDirectory(guest)
        let fileHandle = guest.open(file, O_RDONLY).u64(0)
        let read: (UInt64, UInt64, UInt32) -> Guest.Answer = {
            guest.call(.readDirectory, 1, Bytes().u64($0).u64($1).u32($2).zeros(20))
        }
        #expect(read(fileHandle, 0, 4096).error == EBADF)
        #expect(guest.read(handle, 0, 16).error == EBADF)
        #expect(read(99, 0, 4096).error == EBADF)
        // No room for even one entry.
        #expect(read(handle, 0, 10).error == EINVAL)
        // No place in the directory that the host knows: an error or the end, whatever its file system says.
        #expect([0, EINVAL].contains(read(handle, .max, 4096).error))
        #expect(guest.call(.syncDirectory, 1, Bytes().u64(handle).u64(0)).error == 0)
        #expect(guest.call(.syncDirectory, 1, Bytes().u64(fileHandle).u64(0)).error == EBADF)
        #expect(guest.release(handle, isDirectory: false).error == EBADF)
        #expect(guest.release(handle, isDirectory: true).error == 0)
    }

    @Test("FALLOCATE, LSEEK, COPY_FILE_RANGE, STATFS and SYNCFS act on the host's files")
    func space() throws {
        let guest = try Guest()
        let made = guest.create("f")
        let f = Guest.createdHandle(made)
        let allocate: (UInt32, UInt64, UInt64) -> Int32 = {
            guest.call(.allocate, made.node, Bytes().u64(f).u64($1).u64($2).u32($0).u32(0)).error
        }
        #expect(allocate(0, 0, 1 << 20) == 0)
        #expect(guest.attributes(made.node).attributes.size == 1 << 20)
        #expect(guest.write(f, 65536, [UInt8](repeating: 7, count: 4096)).error == 0)
        #expect(allocate(3, 65536, 4096) == 0)
        #expect(guest.read(f, 65536, 4).body == [0, 0, 0, 0])
        #expect(allocate(0, 0, 0) == EINVAL)
        #expect(allocate(0x8000, 0, 4096) == EOPNOTSUPP)
        #expect(guest.call(.allocate, 1, Bytes().u64(99).u64(0).u64(1).u64(0)).error == EBADF)

        let sparse = guest.create("sparse")
        let s = Guest.createdHandle(sparse)
        #expect(guest.write(s, 1 << 20, [1]).error == 0)
        let seek: (UInt64, UInt32) -> Guest.Answer = {
            guest.call(.seek, sparse.node, Bytes().u64(s).u64($0).u32($1).u32(0))
        }
        #expect(seek(0, 3).u64(0) == 1 << 20 && seek(0, 4).u64(0) == 0)
        #expect(seek(2 << 20, 3).error == ENXIO && seek(0, 0).error == EINVAL && seek(.max, 3).error == ENXIO)

        #expect(guest.write(f, 0, Array("0123456789".utf8)).error == 0)
        let copy: (UInt64, UInt64, UInt64, UInt64) -> Guest.Answer = { from, to, count, flags in
            guest.call(
                .copyRange, made.node,
                Bytes().u64(f).u64(from).u64(sparse.node).u64(s).u64(to).u64(count).u64(flags))
        }
        #expect(copy(2, 4, 5, 0).u32(0) == 5)
        #expect(guest.read(s, 4, 5).body == Array("23456".utf8))
        #expect(copy(0, 0, 1, 1).error == EINVAL)
        let status = guest.call(.fileSystemStatus, 1)
        #expect(status.error == 0 && status.body.count == 80 && status.u32(40) > 0 && status.u32(44) == 255)
        #expect(guest.call(.syncFileSystem, 1, Bytes().u64(0)).error == 0)
        #expect(guest.call(.syncFileSystem, made.node, Bytes().u64(0)).error == ENOTDIR)
    }
}
