// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Testing

private let hasRings: Bool = {
    guard let file = try? FileDescriptor.memory(named: "ring") else { return false }
    return (try? IORing(on: file, entryCount: 8)) != nil
}()

@Suite("Linux: io_uring", .enabled(if: hasRings, "no io_uring for this process, or an older one than Linux 5.10"))
struct IORingTests {
    private func file(_ bytes: [UInt8]) throws -> FileDescriptor {
        let file = try FileDescriptor.memory(named: "ring")
        try file.writeAll(bytes)
        return file
    }

    private func completion(_ ring: IORing) throws -> IORing.Completion {
        while true {
            if let completion = ring.takeCompletion() { return completion }
            try ring.wait()
        }
    }

    /// A read of `count` bytes into `buffer`, by one vector.
    private func read(
        _ ring: IORing, _ vector: UnsafePointer<cl_iovec>, at offset: UInt64, token: UInt64
    ) -> Bool {
        var entry = cl_uring_sqe()
        entry.opcode = UInt8(CL_URING_OP_READV)
        entry.address = UInt64(UInt(bitPattern: vector))
        entry.count = 1
        entry.offset = offset
        entry.token = token
        return ring.push(entry)
    }

    @Test("Queued reads fill their buffers from their offsets and complete under their tokens")
    func readsAtTheirPlaces() throws {
        let ring = try IORing(on: file(Array(0..<200)), entryCount: 8)
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 30)
        let vectors = UnsafeMutablePointer<cl_iovec>.allocate(capacity: 3)
        defer {
            unsafe bytes.deallocate()
            unsafe vectors.deallocate()
        }
        // More than once around both rings.
        for round in 0..<20 {
            for index in 0..<3 {
                unsafe vectors[index] = cl_iovec(base: bytes + 10 * index, count: 10)
                #expect(
                    unsafe read(ring, vectors + index, at: UInt64(round + 50 * index), token: UInt64(100 + index)))
            }
            #expect(ring.queuedCount == 3)
            try ring.submit()
            #expect(ring.queuedCount == 0)
            var tokens: Set<UInt64> = []
            for _ in 0..<3 {
                let answer = try completion(ring)
                #expect(answer.result == 10)
                tokens.insert(answer.token)
            }
            #expect(tokens == [100, 101, 102])
            #expect(ring.takeCompletion()?.token == nil)
            for index in 0..<3 { #expect(unsafe bytes[10 * index] == UInt8(round + 50 * index)) }
        }
    }

    @Test("The readiness descriptor is readable while a completion waits")
    func itsDescriptorTellsOfCompletions() throws {
        let ring = try IORing(on: file([1]), entryCount: 8)
        let now = Deadline(after: .zero)
        #expect(try Poll.wait(ring.readiness, .readable, until: now).isEmpty)
        var entry = cl_uring_sqe()
        entry.opcode = UInt8(CL_URING_OP_FSYNC)
        #expect(ring.push(entry))
        try ring.submit()
        let events = try Poll.wait(ring.readiness, .readable, until: Deadline(after: .seconds(5)))
        #expect(!events.isEmpty)
        #expect(try completion(ring).result == 0)
        #expect(try Poll.wait(ring.readiness, .readable, until: now).isEmpty)
    }

    @Test("Operations outside the allowed set complete with EACCES")
    func doesNothingElse() throws {
        let ring = try IORing(on: file([1]), entryCount: 8)
        // NOP, POLL_ADD, OPENAT, CLOSE, READ, SEND: some would be harmless, none is asked for.
        for operation: UInt8 in [0, 6, 18, 19, 22, 26] {
            var entry = cl_uring_sqe()
            entry.opcode = operation
            #expect(ring.push(entry))
            try ring.submit()
            #expect(try completion(ring).result == -EACCES)
        }
    }

    @Test("A full submission queue refuses entries until it is submitted")
    func aFullQueueTakesNoMore() throws {
        let ring = try IORing(on: file([1]), entryCount: 4)
        var entry = cl_uring_sqe()
        entry.opcode = UInt8(CL_URING_OP_FSYNC)
        for _ in 0..<4 { #expect(ring.push(entry)) }
        #expect(!ring.push(entry))
        try ring.submit()
        for _ in 0..<4 { #expect(try completion(ring).result == 0) }
        #expect(ring.push(entry))
    }

    @Test("A failed operation completes with the errno of its system call")
    func answersAreAsTheCallsWould() throws {
        let ring = try IORing(on: FileDescriptor.open("/proc/self/status"), entryCount: 4)
        var entry = cl_uring_sqe()
        entry.opcode = UInt8(CL_URING_OP_FALLOCATE)
        entry.address = 4096
        #expect(ring.push(entry))
        try ring.submit()
        #expect(try completion(ring).result == -EBADF)
    }
}
