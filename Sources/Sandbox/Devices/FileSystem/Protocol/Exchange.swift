// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import GuestMemory
import Linux
import Virtio

/// One request and its reply, and the room a worker keeps for them: nothing is allocated by sizes that the
/// guest chooses.
///
/// A request is copied here before it is looked at, so that the guest cannot change it between check and
/// use. What is written (WRITE) and what is read (READ) never comes here: the kernel moves it between the
/// file and the guest's memory.
@safe final class Exchange {
    /// The longest request except WRITE: SETXATTR with 64 KiB of value.
    static let inputLimit = 72 << 10
    /// The longest reply except READ: 64 KiB of names or of an extended attribute.
    static let outputLimit = 72 << 10
    /// Vectors one preadv(2) or pwritev(2) takes, UIO_MAXIOV.
    static let vectorLimit = 1024

    // The caller, fuse_in_header.
    private(set) var opcode: UInt32 = 0
    private(set) var unique: UInt64 = 0
    private(set) var inode: UInt64 = 0
    private(set) var uid: UInt32 = 0
    private(set) var gid: UInt32 = 0

    private(set) var chain = DescriptorChain(head: 0, readable: [], writable: [])
    private var writableCount = 0
    private let input: UnsafeMutableRawBufferPointer
    private var inputCount = 0
    private let output: UnsafeMutableRawBufferPointer
    private var outputCount = 0
    /// Bytes of the reply that the kernel put into the guest's memory already.
    private var directCount = 0

    /// Requests that wait behind this one.
    var backlog = 0
    /// Called, by what is about to wait for a disk or to take long, so that another worker serves meanwhile.
    var beforeWaiting: () -> Void = {}

    let vectors: UnsafeMutableBufferPointer<cl_iovec>
    let credentials: Credentials
    let paths: DescriptorPath

    init(credentials: Credentials) {
        // Three buffers of fixed sizes, this object's until deinit.
        unsafe input = .allocate(byteCount: Self.inputLimit, alignment: 16)
        unsafe output = .allocate(byteCount: Self.outputLimit, alignment: 16)
        unsafe vectors = .allocate(capacity: Self.vectorLimit)
        self.credentials = credentials
        paths = DescriptorPath()
    }

    deinit {
        // No address is kept beyond the exchange's request.
        unsafe input.deallocate()
        unsafe output.deallocate()
        unsafe vectors.deallocate()
    }

    // MARK: The request

    /// Takes a request out of the guest's memory.
    ///
    /// - Returns: false where there is no whole header, so that nothing can be answered.
    /// - Throws: `EINVAL` or `E2BIG` where the request's length is not what its header says it is.
    func begin(_ chain: DescriptorChain) throws(Errno) -> Bool {
        self.chain = chain
        writableCount = chain.writableCount
        outputCount = WireSize.replyHeader
        directCount = 0
        inputCount = 0
        guard gather(from: 0, to: WireSize.requestHeader) else { return false }
        // A whole header was gathered, and `input` is longer than that.
        let length = unsafe Int(input.loadUnaligned(fromByteOffset: 0, as: UInt32.self))
        opcode = unsafe input.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        unique = unsafe input.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        // fuse_in_header has 40 bytes.
        inode = unsafe input.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        uid = unsafe input.loadUnaligned(fromByteOffset: 24, as: UInt32.self)
        gid = unsafe input.loadUnaligned(fromByteOffset: 28, as: UInt32.self)
        guard length >= WireSize.requestHeader else { throw .invalidArgument }
        var wanted = length
        if opcode == Opcode.write.rawValue {
            wanted = min(length, WireSize.requestHeader + WireSize.writeRequest)
        }
        guard wanted <= Self.inputLimit else { throw Errno(rawValue: E2BIG) }
        guard gather(from: WireSize.requestHeader, to: wanted) else { throw .invalidArgument }
        inputCount = wanted
        return true
    }

    /// Copies the bytes of the request from `start` up to `end` to their place in `input`; false where the
    /// chain holds fewer.
    private func gather(from start: Int, to end: Int) -> Bool {
        var position = 0
        var done = start
        for slice in chain.readable {
            if done == end { break }
            let next = position + slice.count
            if done < next {
                let count = min(end, next) - done
                // `end` is at most `inputLimit`, which callers check.
                let target = unsafe UnsafeMutableRawBufferPointer(rebasing: input[done..<done + count])
                guard (try? unsafe slice.copy(from: done - position, to: target)) != nil else { return false }
                done += count
            }
            position = next
        }
        return done == end
    }

    /// Whether the guest waits for a reply.
    var hasAnswer: Bool {
        switch Opcode(rawValue: opcode) {
        case .forget, .batchForget, .interrupt: false
        default: true
        }
    }

    /// The bytes after the header.
    var bodyCount: Int { inputCount - WireSize.requestHeader }

    /// A little-endian integer of the body.
    func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self, at offset: Int
    ) throws(Errno) -> Value {
        guard offset >= 0, offset <= bodyCount, MemoryLayout<Value>.size <= bodyCount - offset else {
            throw .invalidArgument
        }
        // Within the bytes just counted.
        return unsafe Value(
            littleEndian: input.loadUnaligned(fromByteOffset: WireSize.requestHeader + offset, as: Value.self))
    }

    /// The NUL-ended text at `offset` of the body, at most `limit` bytes long and not empty.
    func text(at offset: Int, limit: Int) throws(Errno) -> Name {
        guard offset >= 0, offset < bodyCount else { throw .invalidArgument }
        // Within the body, as checked: `input` is never empty, and memchr(3) looks no further than the body goes.
        let start = unsafe input.baseAddress! + WireSize.requestHeader + offset
        guard let end = unsafe memchr(start, 0, bodyCount - offset) else { throw .invalidArgument }
        let count = unsafe UnsafeRawPointer(end) - UnsafeRawPointer(start)
        guard count > 0 else { throw .noSuchFile }
        guard count <= limit else { throw .nameTooLong }
        // NUL-ended, and in place until the next request.
        return unsafe Name(start: UnsafeRawPointer(start), count: count)
    }

    /// The name of a directory entry at `offset` of the body: one component, which leads nowhere else.
    func name(at offset: Int) throws(Errno) -> Name {
        let name = try text(at: offset, limit: 255)
        guard name.isComponent else { throw .invalidArgument }
        return name
    }

    /// The `count` bytes at `offset` of the body, for the kernel to read.
    func bytes(at offset: Int, count: Int) throws(Errno) -> UnsafeRawBufferPointer {
        guard offset >= 0, count >= 0, offset <= bodyCount, count <= bodyCount - offset else {
            throw .invalidArgument
        }
        let start = WireSize.requestHeader + offset
        // Within the body, as checked.
        return unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(input)[start..<start + count])
    }

    // MARK: The reply

    /// The bytes the reply may still take, header and all.
    var room: Int { min(writableCount, Self.outputLimit) - outputCount }

    /// The bytes a reply that goes straight into the guest's memory may have, after the header.
    var directRoom: Int { max(writableCount - WireSize.replyHeader, 0) }

    /// Where the reply goes on, for the kernel to write at most `count` bytes, and ``advance(by:)`` after.
    func space(_ count: Int) throws(Errno) -> UnsafeMutableRawBufferPointer {
        guard count >= 0, count <= Self.outputLimit - outputCount else { throw .outOfRange }
        // Within `output`, as checked.
        return unsafe UnsafeMutableRawBufferPointer(rebasing: output[outputCount..<outputCount + count])
    }

    func advance(by count: Int) { outputCount += count }

    /// Appends an integer. The structures of the protocol fit `output` many times; a list checks `room`.
    func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        guard MemoryLayout<Value>.size <= Self.outputLimit - outputCount else { return }
        // There is room, as checked.
        unsafe output.storeBytes(of: value.littleEndian, toByteOffset: outputCount, as: Value.self)
        outputCount += MemoryLayout<Value>.size
    }

    /// Appends `count` zero bytes.
    func put(zeros count: Int) {
        guard count > 0, count <= Self.outputLimit - outputCount else { return }
        // There is room, as checked; `output` is never empty.
        unsafe memset(output.baseAddress! + outputCount, 0, count)
        outputCount += count
    }

    /// Appends bytes.
    func put(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Self.outputLimit - outputCount, let source = bytes.baseAddress else { return }
        // There is room, as checked; the source is the caller's, for the call.
        unsafe (output.baseAddress! + outputCount).copyMemory(from: source, byteCount: bytes.count)
        outputCount += bytes.count
    }

    /// The kernel has put `count` bytes behind the header.
    func wroteDirectly(_ count: Int) { directCount = count }

    /// Writes the reply to the guest.
    ///
    /// - Returns: the bytes written; 0 where the guest left no room for the reply, which then is dropped.
    func finish(_ error: Errno?) -> UInt32 {
        if error != nil {
            outputCount = WireSize.replyHeader
            directCount = 0
        }
        let total = outputCount + directCount
        guard total <= writableCount else { return 0 }
        // The header's room is always there.
        unsafe output.storeBytes(of: UInt32(total).littleEndian, toByteOffset: 0, as: UInt32.self)
        unsafe output.storeBytes(of: -(error?.rawValue ?? 0), toByteOffset: 4, as: Int32.self)
        unsafe output.storeBytes(of: unique.littleEndian, toByteOffset: 8, as: UInt64.self)
        var done = 0
        for slice in chain.writable where done < outputCount {
            let count = min(slice.count, outputCount - done)
            // `outputCount` bytes of `output` are written.
            let source = unsafe UnsafeRawBufferPointer(rebasing: output[done..<done + count])
            guard (try? unsafe slice.copy(source, to: 0)) != nil else { return 0 }
            done += count
        }
        return UInt32(total)
    }
}

/// A NUL-ended text in an exchange's input, for the kernel to read. Valid until the next request.
@safe struct Name {
    private let start: UnsafeRawPointer
    /// The bytes before the NUL.
    let count: Int

    init(start: UnsafeRawPointer, count: Int) {
        // Of an exchange's input, NUL-ended, as ``Exchange/text(at:limit:)`` found it.
        unsafe self.start = start
        self.count = count
    }

    // An address, for a system call that reads up to the NUL.
    var argument: Int { unsafe start.argument }

    /// The bytes, the NUL with them.
    // The NUL behind them was found.
    var terminated: [UInt8] { unsafe [UInt8](terminatedBytes) }

    /// The same, where they are.
    // As above.
    var terminatedBytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: start, count: count + 1) }

    /// Whether the name is one component below its directory: no slash, not `.` and not `..`.
    var isComponent: Bool {
        // The name has `count` bytes.
        if unsafe memchr(start, 0x2f, count) != nil { return false }
        if count > 2 { return true }
        // Below `count`.
        for offset in 0..<count where unsafe start.load(fromByteOffset: offset, as: UInt8.self) != 0x2e { return true }
        return false
    }

    func isEqual(_ other: [UInt8]) -> Bool {
        guard other.count == count + 1 else { return false }
        // Both have `count` bytes at least.
        return unsafe other.withUnsafeBytes { unsafe memcmp($0.baseAddress!, start, count) == 0 }
    }

    func isEqual(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && hasPrefix(text) }

    /// The text behind the first `count` bytes, which it has.
    // Still within the text, and NUL-ended as it is.
    func dropping(_ count: Int) -> Name { unsafe Name(start: start + count, count: self.count - count) }

    /// Whether the text begins with `prefix`.
    func hasPrefix(_ prefix: StaticString) -> Bool {
        guard prefix.utf8CodeUnitCount <= count else { return false }
        // Both have as many bytes as the prefix.
        return unsafe memcmp(prefix.utf8Start, start, prefix.utf8CodeUnitCount) == 0
    }
}
