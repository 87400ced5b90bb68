// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import GuestMemory
import Linux
import SandboxPlan
import Synchronization
import TestSupport
import Virtio

/// Stands for the guest's kernel: lays requests out in memory of its own as Linux does (header, structure and
/// data each in a descriptor of its own) and hands them to the server, with no queue between.
final class Guest {
    let tree: TemporaryTree
    let server: FileServer
    let exchange: Exchange
    private let memory: GuestMemory
    private var unique: UInt64 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0

    static let memorySize = 4 << 20
    private static let replyStart = 2 << 20

    /// A tree of its own, or the one given, and a session in it.
    init(
        _ tree: TemporaryTree? = nil, isReadOnly: Bool = false, cache: CachePolicy = .auto,
        descriptorLimit: Int = 4096, inodeLimit: Int = InodeTable.defaultLimit, capabilities: UInt32 = .max
    ) throws {
        self.tree = try tree ?? TemporaryTree()
        memory = try Self.makeMemory()
        server = try FileServer(
            root: try FileDescriptor.open(self.tree.path, [.path, .directory]), isReadOnly: isReadOnly, cache: cache,
            descriptorLimit: descriptorLimit, inodeLimit: inodeLimit)
        exchange = Exchange(credentials: try Credentials())
        let answer = call(.initialize, 0, Bytes().u32(7).u32(38).u32(1 << 20).u32(capabilities).zeros(48))
        guard answer.error == 0 else { throw Errno(rawValue: answer.error) }
    }

    /// Another way into the session of `server`, for the thread that makes it.
    init(sharing server: FileServer, _ tree: TemporaryTree) throws {
        self.tree = tree
        self.server = server
        memory = try Self.makeMemory()
        exchange = Exchange(credentials: try Credentials())
    }

    private static func makeMemory() throws -> GuestMemory {
        let file = try FileDescriptor.memory(named: "guest")
        try syscall(__NR_ftruncate, file.borrowed.argument, memorySize)
        return try GuestMemory([
            GuestMemory.Piece(start: GuestAddress(rawValue: 0), byteCount: UInt64(memorySize), file: file.borrowed)
        ])
    }

    /// What the server answered: a positive error number or 0, and the bytes after the header.
    struct Answer {
        /// What the queue is told was written; 0 where there was no reply.
        var written: Int
        var error: Int32
        var body: [UInt8]

        func u32(_ offset: Int) -> UInt32 {
            body[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        func u64(_ offset: Int) -> UInt64 {
            body[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        var node: UInt64 { u64(0) }
        /// struct fuse_attr, which begins at `start` in the reply.
        func attributes(at start: Int) -> Attributes {
            Attributes(
                inode: u64(start), size: u64(start + 8), blocks: u64(start + 16), modified: u64(start + 32),
                modifiedNanoseconds: u32(start + 52), mode: u32(start + 60), links: u32(start + 64),
                uid: u32(start + 68), gid: u32(start + 72), device: u32(start + 76), flags: u32(start + 84))
        }
        /// Of a fuse_entry_out.
        var entry: Attributes { attributes(at: 40) }
        /// Of a fuse_attr_out.
        var attributes: Attributes { attributes(at: 16) }
    }

    struct Attributes {
        var inode: UInt64
        var size: UInt64
        var blocks: UInt64
        var modified: UInt64
        var modifiedNanoseconds: UInt32
        var mode: UInt32
        var links: UInt32
        var uid: UInt32
        var gid: UInt32
        var device: UInt32
        var flags: UInt32
    }

    /// One request with `body` after the header, and `data` after that.
    func call(
        _ opcode: Opcode, _ node: UInt64, _ body: Bytes = Bytes(), data: [UInt8] = [], room: Int = 132_000
    ) -> Answer {
        unique += 1
        let header = Bytes().u32(UInt32(40 + body.bytes.count + data.count)).u32(opcode.rawValue).u64(unique).u64(node)
            .u32(uid).u32(gid).u32(1).u32(0)
        return send([header.bytes, body.bytes, data], room: room)
    }

    /// A request of these very bytes, each part in a descriptor of its own.
    func send(_ parts: [[UInt8]], room: Int = 4096) -> Answer {
        var readable: [GuestSlice] = []
        var address = 0
        for part in parts where !part.isEmpty {
            let slice = try! memory.slice(at: GuestAddress(rawValue: UInt64(address)), byteCount: UInt64(part.count))
            unsafe part.withUnsafeBytes { try! unsafe slice.copy($0, to: 0) }
            readable.append(slice)
            address += part.count + 7
        }
        var writable: [GuestSlice] = []
        var start = Self.replyStart
        var left = room
        // The header's descriptor, then pages that are not in a row.
        for size in [16] + Array(repeating: 4096, count: room / 4096 + 1) where left > 0 {
            let count = min(size, left)
            writable.append(try! memory.slice(at: GuestAddress(rawValue: UInt64(start)), byteCount: UInt64(count)))
            left -= count
            start += count + 64
        }
        let chain = DescriptorChain(head: 0, readable: readable, writable: writable)
        let written = Int(server.serve(chain, on: exchange))
        var bytes: [UInt8] = []
        for slice in writable where bytes.count < written { bytes += slice.bytes().prefix(written - bytes.count) }
        guard written >= 16 else { return Answer(written: written, error: -1, body: []) }
        let raw = bytes[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        return Answer(written: written, error: -Int32(bitPattern: raw), body: Array(bytes[16...]))
    }

    // MARK: Requests by name

    func lookup(_ name: String, in parent: UInt64 = 1) -> Answer { call(.lookup, parent, Bytes().text(name)) }
    func forget(_ node: UInt64, _ count: UInt64 = 1) { _ = call(.forget, node, Bytes().u64(count)) }
    func attributes(_ node: UInt64) -> Answer { call(.getAttributes, node, Bytes().zeros(16)) }
    func open(_ node: UInt64, _ flags: Int32) -> Answer {
        call(.open, node, Bytes().u32(UInt32(bitPattern: flags)).u32(0))
    }
    func create(
        _ name: String, in parent: UInt64 = 1, _ flags: Int32 = O_RDWR, mode: UInt32 = 0o644, umask: UInt32 = 0
    ) -> Answer {
        call(
            .create, parent,
            Bytes().u32(UInt32(bitPattern: flags | O_CREAT)).u32(mode | 0o100000).u32(umask).u32(0).text(name))
    }
    func read(_ handle: UInt64, _ offset: UInt64, _ size: UInt32, room: Int = 132_000) -> Answer {
        call(.read, 1, Bytes().u64(handle).u64(offset).u32(size).zeros(20), room: room)
    }
    func write(
        _ handle: UInt64, _ offset: UInt64, _ data: [UInt8], flags: UInt32 = 0, fileFlags: Int32 = O_RDWR
    ) -> Answer {
        call(
            .write, 1,
            Bytes().u64(handle).u64(offset).u32(UInt32(data.count)).u32(flags).u64(0)
                .u32(UInt32(bitPattern: fileFlags)).u32(0), data: data)
    }
    func release(_ handle: UInt64, isDirectory: Bool = false) -> Answer {
        call(isDirectory ? .releaseDirectory : .release, 1, Bytes().u64(handle).zeros(16))
    }
    func makeDirectory(_ name: String, in parent: UInt64 = 1, mode: UInt32 = 0o755, umask: UInt32 = 0) -> Answer {
        call(.makeDirectory, parent, Bytes().u32(mode).u32(umask).text(name))
    }
    func unlink(_ name: String, in parent: UInt64 = 1) -> Answer { call(.unlink, parent, Bytes().text(name)) }
    func rename(_ old: String, _ new: String, from: UInt64 = 1, to: UInt64 = 1, flags: UInt32 = 0) -> Answer {
        call(.rename2, from, Bytes().u64(to).u32(flags).u32(0).text(old).text(new))
    }

    /// The handle in the reply of CREATE.
    static func createdHandle(_ answer: Answer) -> UInt64 { answer.u64(128) }

    /// Everything in an open directory, by repeated READDIR or READDIRPLUS.
    func list(_ handle: UInt64, plus: Bool, size: UInt32 = 4096) -> [String: UInt64] {
        var names: [String: UInt64] = [:]
        var offset: UInt64 = 0
        while true {
            let answer = call(
                plus ? .readDirectoryPlus : .readDirectory, 1, Bytes().u64(handle).u64(offset).u32(size).zeros(20))
            guard answer.error == 0, !answer.body.isEmpty, names.count < 100_000 else { return names }
            var position = 0
            while position < answer.body.count {
                let node = plus ? answer.u64(position) : 0
                let start = position + (plus ? 128 : 0)
                offset = answer.u64(start + 8)
                let count = Int(answer.u32(start + 16))
                names[String(decoding: answer.body[start + 24..<start + 24 + count], as: UTF8.self)] = node
                position = start + (24 + count + 7) & ~7
            }
        }
    }
}

/// Bytes of a request, put together.
struct Bytes {
    var bytes: [UInt8] = []

    func adding(_ more: [UInt8]) -> Bytes { Bytes(bytes: bytes + more) }
    func u32(_ value: UInt32) -> Bytes { adding((0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }) }
    func u64(_ value: UInt64) -> Bytes { adding((0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }) }
    func zeros(_ count: Int) -> Bytes { adding([UInt8](repeating: 0, count: count)) }
    func text(_ value: String) -> Bytes { adding(Array(value.utf8) + [0]) }
}

/// A directory of its own below /tmp or `FC_TEST_DIRECTORY`, removed with everything in it when let go.
final class TemporaryTree: Sendable {
    let path: String
    private let isOwned: Bool

    /// One that stays.
    init(borrowing path: String) {
        self.path = path
        isOwned = false
    }

    init() throws {
        isOwned = true
        let base = unsafe getenv("FC_TEST_DIRECTORY").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/fc-fsd-test.XXXXXX".utf8CString)
        guard unsafe template.withUnsafeMutableBufferPointer({ unsafe mkdtemp($0.baseAddress!) }) != nil else {
            throw Errno(rawValue: errno)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard unsafe chmod(path, 0o777) == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { if isOwned { Scratch.remove(path) } }

    func at(_ name: String) -> String { path + "/" + name }

    /// Writes a file, and returns its path.
    @discardableResult
    func file(_ name: String, _ content: String = "") throws -> String {
        let file = try FileDescriptor.open(at(name), [.create, .truncate, .writeOnly], mode: 0o644)
        try file.writeAll(Array(content.utf8))
        return at(name)
    }

    func directory(_ name: String) throws { try Directory.make(at(name), mode: 0o755) }

    func content(_ name: String) throws -> String {
        String(decoding: try FileDescriptor.open(at(name)).readAll(limit: 1 << 20), as: UTF8.self)
    }

    func symlink(_ name: String, to target: String) throws {
        guard unsafe Glibc.symlink(target, at(name)) == 0 else { throw Errno(rawValue: errno) }
    }

    func rename(_ old: String, _ new: String) throws {
        guard unsafe Glibc.rename(at(old), at(new)) == 0 else { throw Errno(rawValue: errno) }
    }

    func link(_ old: String, _ new: String) throws {
        guard unsafe Glibc.link(at(old), at(new)) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Appends, so that overlayfs copies the file up.
    func append(_ name: String, _ content: String) throws {
        try FileDescriptor.open(at(name), [.writeOnly, .append]).writeAll(Array(content.utf8))
    }

    /// Removes a file or an empty directory.
    func delete(_ name: String) throws {
        guard unsafe Glibc.remove(at(name)) == 0 else { throw Errno(rawValue: errno) }
    }

    /// lstat(2).
    func status(_ name: String) -> stat? {
        var status = stat()
        return unsafe lstat(at(name), &status) == 0 ? status : nil
    }
}

let isRoot = geteuid() == 0

/// renameat2(2) with RENAME_EXCHANGE.
func exchangeNames(_ first: String, _ second: String) {
    _ = try? withPath(first) { (first) throws(Errno) in
        try withPath(second) { (second) throws(Errno) in
            try syscall(__NR_renameat2, CL_AT_FDCWD, first, CL_AT_FDCWD, second, 2)
        }
    }
}

/// Tells a thread that it may end.
final class EndFlag: Sendable {
    private let flag = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
}

/// A thread that a test can keep in an array.
final class Joiner {
    private var thread: Thread?
    init(_ body: sending @escaping () -> Void) throws(Errno) { thread = try Thread(named: "test", body) }
    func join() { thread.take()?.join() }
}

final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    var count: Int { value.load(ordering: .relaxed) }
    func add() { value.add(1, ordering: .relaxed) }
}
