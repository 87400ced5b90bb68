// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Glibc
import Linux
import Testing

@Suite("FileSystem: hostile requests")
struct HostileTests {
    private func header(_ length: UInt32, _ opcode: UInt32, node: UInt64 = 1) -> [UInt8] {
        Bytes().u32(length).u32(opcode).u64(7).u64(node).zeros(16).bytes
    }

    @Test("Requests with a false length are refused or dropped")
    func lengthsThatLie() throws {
        let guest = try Guest()
        // No whole header: nothing can be answered.
        #expect(guest.send([]).written == 0)
        #expect(guest.send([[UInt8](repeating: 0, count: 39)]).written == 0)
        // Shorter than a header, longer than what is there, longer than anything.
        #expect(guest.send([header(0, 3)]).error == EINVAL)
        #expect(guest.send([header(39, 3)]).error == EINVAL)
        #expect(guest.send([header(41, 3)]).error == EINVAL)
        #expect(guest.send([header(.max, 3)]).error == E2BIG)
        #expect(guest.send([header(.max, 16)]).error == EINVAL)
        #expect(guest.send([header(40, 3)]).error == EINVAL)
        // A header in pieces is as good as one in one.
        let whole = header(56, 3) + [UInt8](repeating: 0, count: 16)
        #expect(guest.send([Array(whole[..<1]), Array(whole[1..<30]), Array(whole[30...])]).error == 0)
    }

    @Test("Unknown operations get ENOSYS")
    func unknownOperations() throws {
        let guest = try Guest()
        for opcode in [UInt32(0), 7, 19, 31, 32, 33, 37, 40, 41, 48, 49, 52, 4096, .max] {
            #expect(guest.send([header(40, opcode)]).error == ENOSYS)
        }
    }

    @Test("A reply that does not fit its buffer is not written, and a read is shortened")
    func noRoomForTheReply() throws {
        let guest = try Guest()
        try guest.tree.file("f", "content")
        for room in [0, 1, 15, 16, 17, 143] {
            let answer = guest.call(.lookup, 1, Bytes().text("f"), room: room)
            #expect(answer.written == 0)
        }
        #expect(guest.call(.lookup, 1, Bytes().text("f"), room: 144).written == 144)
        let handle = guest.open(guest.lookup("f").node, O_RDONLY).u64(0)
        #expect(guest.read(handle, 0, 7, room: 15).written == 0)
        #expect(guest.read(handle, 0, 7, room: 16).written == 16)
        #expect(guest.read(handle, 0, 7, room: 17).body == Array("c".utf8))
    }

    @Test("A WRITE that claims more than its data or the limit is refused")
    func writesOfMoreThanThereIs() throws {
        let guest = try Guest()
        let handle = Guest.createdHandle(guest.create("f"))
        let body = Bytes().u64(handle).u64(0).u32(100).u32(0).u64(0).u64(0)
        #expect(guest.call(.write, 1, body, data: [1, 2, 3]).error == EINVAL)
        #expect(guest.call(.write, 1, Bytes().u64(handle)).error == EINVAL)
        let huge = Bytes().u64(handle).u64(0).u32(1 << 20 + 1).u32(0).u64(0).u64(0)
        #expect(guest.call(.write, 1, huge, data: [1]).error == EINVAL)
        #expect(try guest.tree.content("f") == "")
    }

    /// Whatever the bytes are, the server answers or drops them, and goes on.
    @Test("Random requests never crash the server or change the host's root")
    func randomRequests() throws {
        let guest = try Guest(descriptorLimit: 300)
        try guest.tree.file("a", "content")
        try guest.tree.directory("d")
        try guest.tree.symlink("s", to: "/etc/passwd")
        let before = try rootEntries()
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        func next(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % bound
        }
        let words: [UInt64] = [0, 1, 2, 3, 4, 40, 255, 4096, 65536, 1 << 31, 1 << 32, 1 << 63, .max]
        let names = ["a", "d", "s", "..", ".", "new", "user.x", "a/b", "security.capability", ""]
        for _ in 0..<20_000 {
            var body = Bytes()
            for _ in 0..<next(8) {
                switch next(4) {
                case 0: body = body.u64(words[Int(next(UInt64(words.count)))])
                case 1: body = body.u32(UInt32(truncatingIfNeeded: words[Int(next(UInt64(words.count)))]))
                case 2: body = body.text(names[Int(next(UInt64(names.count)))])
                default: body = body.u64(next(6))
                }
            }
            // Not INIT and DESTROY all the time, and never SYNCFS, which only takes time.
            let opcode = UInt32(next(53))
            if opcode == 50 || opcode == 20 || opcode == 30 || (opcode == 26 && next(20) > 0) { continue }
            let lie = next(10) == 0 ? UInt32(next(200)) : UInt32(40 + body.bytes.count)
            let header = Bytes().u32(lie).u32(opcode).u64(1).u64(next(5) + (next(8) == 0 ? 1 << 32 : 0)).zeros(16)
            let answer = guest.send([header.bytes, body.bytes], room: Int(next(5000)))
            #expect(answer.written == 0 || (answer.written >= 16 && answer.error >= 0 && answer.error < 200))
        }
        // Alive, and nobody outside was touched.
        _ = guest.call(.initialize, 0, Bytes().u32(7).u32(38).u32(0).u32(0).zeros(48))
        #expect(guest.attributes(1).error == 0)
        #expect(guest.server.inodes.count == 1 && guest.server.handles.count == 0)
        #expect(try rootEntries() == before)
    }
}

/// What stands in the host's root directory.
private func rootEntries() throws -> Set<String> {
    let root = try FileDescriptor.open("/", [.directory])
    return try Set(Directory.entries(of: root.borrowed).map(\.name))
}
