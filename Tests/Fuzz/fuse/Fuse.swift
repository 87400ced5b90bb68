// SPDX-License-Identifier: Apache-2.0
import FileSystem
import Glibc
import GuestMemory
import Linux
import Virtio

/// Requests of a guest that means no good: whatever they are, each is answered within its room or dropped.
///
/// The input is a row of requests: two bytes of length, one of shape, then the bytes. Shape bit 0: the bytes are
/// the whole request, header and all. Otherwise the first is the operation, the second names an inode that an
/// earlier reply told of (0: the root), and the rest follows the header; bit 1 puts the last handle in front.
/// The upper four bits choose the room for the reply.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFuse(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns, and calls from one thread.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    unsafe playground.run(bytes)
    return 0
}

nonisolated(unsafe) private let playground = Playground()

private final class Playground {
    private let path: String
    private var server: DirectServer
    private let memory: GuestMemory
    private var rounds = 0
    private var nodes: [UInt64] = [1]
    private var handle: UInt64 = 0

    init() {
        // No file grows beyond a mebibyte, whatever is asked for.
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
        _ = unsafe setrlimit(__rlimit_resource_t(1), &limit)
        path = "/dev/shm/fc-fsd-fuzz-\(getpid())"
        server = Self.makeServer(path)
        let file = try! FileDescriptor.memory(named: "guest")
        precondition(ftruncate(file.rawValue, 1 << 20) == 0)
        memory = try! GuestMemory([
            GuestMemory.Piece(start: GuestAddress(rawValue: 0), byteCount: 1 << 20, file: file.borrowed)
        ])
    }

    private static func makeServer(_ path: String) -> DirectServer {
        try? Directory.make(path, mode: 0o755)
        try? Directory.make(path + "/d", mode: 0o755)
        if let file = try? FileDescriptor.open(path + "/a", [.create, .writeOnly], mode: 0o644) {
            try? file.writeAll(Array("content".utf8))
        }
        let root = try! FileDescriptor.open(path, [.path, .directory])
        return try! DirectServer(root: root, descriptorLimit: 300)
    }

    func run(_ input: [UInt8]) {
        rounds += 1
        if rounds % 2000 == 0 {
            Self.empty(path)
            server = Self.makeServer(path)
        }
        // A session of its own for every input.
        var start = [UInt8](repeating: 0, count: 64)
        start.replaceSubrange(0..<16, with: [7, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255])
        nodes = [1]
        _ = send(header(26, 0, start.count) + start, room: 80)
        var position = 0
        while position + 3 <= input.count {
            let count = min(Int(input[position]) | Int(input[position + 1]) << 8, input.count - position - 3)
            let shape = input[position + 2]
            let bytes = Array(input[position + 3..<position + 3 + count])
            position += 3 + count
            let room = [0, 15, 16, 17, 144, 160, 512, 8192][Int(shape >> 4) % 8]
            if shape & 1 != 0 {
                check(send(bytes, room: room), room)
            } else if bytes.count >= 2 {
                var body = Array(bytes[2...])
                if shape & 2 != 0, body.count >= 8 {
                    for index in 0..<8 { body[index] = UInt8(truncatingIfNeeded: handle >> (8 * index)) }
                }
                let node = nodes[Int(bytes[1]) % nodes.count]
                let reply = send(header(UInt32(bytes[0]), node, body.count) + body, room: room)
                check(reply, room)
                learn(UInt32(bytes[0]), reply)
            }
        }
    }

    private func header(_ opcode: UInt32, _ node: UInt64, _ bodyCount: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for (value, count) in [
            (UInt64(40 + bodyCount), 4), (UInt64(opcode), 4), (1, 8), (node, 8), (0, 4), (0, 4), (0, 8),
        ] { bytes += (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        return bytes
    }

    /// What the server wrote.
    private func send(_ request: [UInt8], room: Int) -> [UInt8] {
        let split = min(40, request.count)
        var readable: [GuestSlice] = []
        for (part, address) in [(Array(request[..<split]), 0), (Array(request[split...]), 4096)] where !part.isEmpty {
            guard
                let slice = try? memory.slice(
                    at: GuestAddress(rawValue: UInt64(address)), byteCount: UInt64(part.count))
            else { continue }
            unsafe part.withUnsafeBytes { unsafe try? slice.copy($0, to: 0) }
            readable.append(slice)
        }
        var writable: [GuestSlice] = []
        for (address, count) in [(200_000, min(room, 16)), (300_000, max(room - 16, 0))] where count > 0 {
            if let slice = try? memory.slice(at: GuestAddress(rawValue: UInt64(address)), byteCount: UInt64(count)) {
                writable.append(slice)
            }
        }
        let written = server.serve(DescriptorChain(head: 0, readable: readable, writable: writable))
        return Array(writable.flatMap { $0.bytes() }.prefix(Int(written)))
    }

    /// A reply is nothing, or a header that tells its own length, an error that Linux knows and the request's number.
    private func check(_ reply: [UInt8], _ room: Int) {
        if reply.isEmpty { return }
        precondition(reply.count >= 16 && reply.count <= room)
        let length = reply[..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        let error = Int32(truncatingIfNeeded: reply[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) })
        precondition(length == reply.count && error <= 0 && error > -512)
        precondition(error == 0 || length == 16)
    }

    /// Keeps the inodes and handles that replies tell of, so that later requests mean something.
    private func learn(_ opcode: UInt32, _ reply: [UInt8]) {
        guard reply.count >= 32, nodes.count < 64 else { return }
        let first = reply[16..<24].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        switch opcode {
        case 1, 6, 8, 9, 13: nodes.append(first)
        case 14, 27: handle = first
        case 35,
            51 where reply.count >= 160:
            nodes.append(first)
            handle = reply[144..<152].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        default: break
        }
    }

    private static func empty(_ path: String) {
        guard let directory = try? FileDescriptor.open(path, [.directory, .noFollow]),
            let entries = try? Directory.entries(of: directory.borrowed)
        else { return }
        for entry in entries {
            if entry.isDirectory { empty(path + "/" + entry.name) }
            try? Directory.remove(entry.name, at: directory.borrowed, isDirectory: entry.isDirectory)
        }
    }
}
