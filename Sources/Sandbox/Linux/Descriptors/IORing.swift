// SPDX-License-Identifier: Apache-2.0
public import CLinux
import Glibc

/// io_uring(7) on one open file: requests are queued, handed over by one call, and answered in any order.
///
/// From its first moment the ring can do nothing but read, write, synchronize and (de)allocate that file: the
/// kernel is limited to that (IORING_REGISTER_RESTRICTIONS), so that code which gets hold of the ring reaches nothing else by it.
/// Every system call but io_uring_enter(2) is made in init, before a jail closes around the process.
///
/// Used by one thread at a time. What an entry points to must stay valid until its completion was taken.
@safe public final class IORing {
    /// The answer to one request.
    public struct Completion {
        /// The request's own.
        public let token: UInt64
        /// What the call would have returned; -errno where it failed.
        public let result: Int32
    }

    /// How many entries may be queued between two calls of ``submit()``.
    public let entryCount: UInt32
    /// Entries that the kernel has not taken yet.
    public private(set) var queuedCount: UInt32 = 0

    private let descriptor: FileDescriptor
    private let rings: Mapping
    private let entries: Mapping
    private let submissionTail: UnsafeMutableRawPointer
    private let completionHead: UnsafeMutableRawPointer
    private let completionTail: UnsafeMutableRawPointer
    private let completions: UnsafeMutablePointer<cl_uring_cqe>
    private let submissionMask: UInt32
    private let completionMask: UInt32
    private var tail: UInt32 = 0
    private var head: UInt32 = 0

    /// - Parameter entryCount: a power of two; as many requests may be under way at once, and twice as many may
    ///   wait to be taken.
    /// - Throws: `ENOSYS`, `EPERM` where there is no io_uring for this process, `EINVAL` where it is older than
    ///   Linux 5.10, `ENOMEM`.
    public init(on file: borrowing FileDescriptor, entryCount: UInt32) throws(Errno) {
        var parameters = cl_uring_params()
        // Answers wait for the thread's next system call, rather than interrupt it; Linux 5.19.
        parameters.flags = UInt32(CL_URING_SETUP_R_DISABLED | CL_URING_SETUP_COOP_TASKRUN)
        var number = Self.setup(entryCount, &parameters)
        if number == -Int(EINVAL) {
            parameters = cl_uring_params()
            parameters.flags = UInt32(CL_URING_SETUP_R_DISABLED)
            number = Self.setup(entryCount, &parameters)
        }
        let descriptor = FileDescriptor(owning: Int32(try checked(number)))
        let needed = CL_URING_FEAT_SINGLE_MMAP | CL_URING_FEAT_NODROP | CL_URING_FEAT_SUBMIT_STABLE
        guard Int(parameters.features) & Int(needed) == Int(needed) else { throw .invalidArgument }
        try Self.restrict(descriptor.borrowed, to: file.borrowed)

        let (sq, cq) = (parameters.sq, parameters.cq)
        let byteCount = max(
            Int(sq.array) + 4 * Int(parameters.sq_entries), Int(cq.cqes) + 16 * Int(parameters.cq_entries))
        let rings = try Mapping(descriptor.borrowed, byteCount: byteCount, offset: 0)
        let entries = try Mapping(
            descriptor.borrowed, byteCount: MemoryLayout<cl_uring_sqe>.stride * Int(parameters.sq_entries),
            offset: Int(CL_URING_OFF_SQES))
        // The offsets are the kernel's, and lie in what it just mapped.
        let base = unsafe rings.base
        let array = unsafe (base + Int(sq.array)).bindMemory(to: UInt32.self, capacity: Int(parameters.sq_entries))
        for index in 0..<parameters.sq_entries { unsafe array[Int(index)] = index }
        unsafe submissionTail = base + Int(sq.tail)
        unsafe completionHead = base + Int(cq.head)
        unsafe completionTail = base + Int(cq.tail)
        unsafe completions = (base + Int(cq.cqes)).bindMemory(
            to: cl_uring_cqe.self, capacity: Int(parameters.cq_entries))
        submissionMask = parameters.sq_entries - 1
        completionMask = parameters.cq_entries - 1
        self.entryCount = parameters.sq_entries
        self.rings = rings
        self.entries = entries
        self.descriptor = descriptor
    }

    /// Readable while completions wait, for poll(2) and epoll(7).
    public var readiness: BorrowedDescriptor { descriptor.borrowed }

    /// Queues a request, to go with the next ``submit()``. The file is the ring's own.
    ///
    /// - Returns: false where ``entryCount`` requests are queued already.
    public func push(_ request: cl_uring_sqe) -> Bool {
        guard queuedCount < entryCount else { return false }
        var entry = request
        entry.file = 0
        entry.flags = UInt8(CL_URING_SQE_FIXED_FILE)
        unsafe entries.base.storeBytes(
            of: entry, toByteOffset: MemoryLayout<cl_uring_sqe>.stride * Int(tail & submissionMask),
            as: cl_uring_sqe.self)
        tail &+= 1
        queuedCount += 1
        unsafe cl_store_release_u32(submissionTail, tail)
        return true
    }

    /// Hands what is queued to the kernel. Requests that need not wait may be complete on return.
    ///
    /// - Throws: `EAGAIN`, `EBUSY` where the kernel cannot take them now: take completions, and try again later.
    public func submit() throws(Errno) {
        while queuedCount > 0 {
            let count = try enter(atLeast: 0, flags: 0)
            // Nothing taken and no error: not to be met with, and no reason to spin.
            if count == 0 { throw .wouldBlock }
            queuedCount -= min(queuedCount, UInt32(count))
        }
    }

    /// Waits until a completion can be taken. Only where a request is under way.
    public func wait() throws(Errno) {
        guard unsafe cl_load_acquire_u32(completionTail) == head else { return }
        let count = try enter(atLeast: 1, flags: Int(CL_URING_ENTER_GETEVENTS))
        queuedCount -= min(queuedCount, UInt32(count))
    }

    /// The next answer, if there is one.
    public func takeCompletion() -> Completion? {
        guard unsafe cl_load_acquire_u32(completionTail) != head else { return nil }
        // The mask keeps the index inside the ring.
        let entry = unsafe completions[Int(head & completionMask)]
        head &+= 1
        unsafe cl_store_release_u32(completionHead, head)
        return Completion(token: entry.token, result: entry.result)
    }

    private func enter(atLeast count: Int, flags: Int) throws(Errno) -> Int {
        try retrying { () throws(Errno) in
            try syscall(__NR_io_uring_enter, Int(descriptor.rawValue), Int(queuedCount), count, flags, 0, 0)
        }
    }

    private static func setup(_ entryCount: UInt32, _ parameters: inout cl_uring_params) -> Int {
        unsafe withUnsafeMutablePointer(to: &parameters) { pointer in
            unsafe answer(__NR_io_uring_setup, Int(entryCount), pointer.argument)
        }
    }

    /// Registers the file as the ring's only one, closes everything else off, and starts the ring.
    private static func restrict(_ ring: BorrowedDescriptor, to file: BorrowedDescriptor) throws(Errno) {
        var files = [file.rawValue]
        try checked(
            unsafe files.withUnsafeMutableBytes {
                unsafe answer(
                    __NR_io_uring_register, ring.argument, Int(CL_URING_REGISTER_FILES), $0.argument, 1)
            })
        let operations = [
            CL_URING_OP_READV, CL_URING_OP_WRITEV, CL_URING_OP_FSYNC, CL_URING_OP_FALLOCATE,
        ]
        var rules = operations.map { operation in
            var rule = cl_uring_restriction()
            rule.kind = UInt16(CL_URING_RESTRICTION_SQE_OP)
            rule.value = UInt8(operation)
            return rule
        }
        for kind in [CL_URING_RESTRICTION_SQE_FLAGS_ALLOWED, CL_URING_RESTRICTION_SQE_FLAGS_REQUIRED] {
            var rule = cl_uring_restriction()
            rule.kind = UInt16(kind)
            rule.value = UInt8(CL_URING_SQE_FIXED_FILE)
            rules.append(rule)
        }
        let count = rules.count
        try checked(
            unsafe rules.withUnsafeMutableBytes {
                unsafe answer(
                    __NR_io_uring_register, ring.argument, Int(CL_URING_REGISTER_RESTRICTIONS), $0.argument, count)
            })
        try syscall(__NR_io_uring_register, ring.argument, Int(CL_URING_REGISTER_ENABLE_RINGS))
    }

    /// Memory shared with the kernel, unmapped with its owner.
    @safe private final class Mapping {
        let base: UnsafeMutableRawPointer
        let byteCount: Int

        init(_ ring: BorrowedDescriptor, byteCount: Int, offset: Int) throws(Errno) {
            let address = try syscall(
                __NR_mmap, 0, byteCount, Int(PROT_READ | PROT_WRITE), Int(MAP_SHARED), ring.argument, offset)
            // A mapping the kernel just made is never at 0.
            unsafe base = UnsafeMutableRawPointer(bitPattern: address)!
            self.byteCount = byteCount
        }

        deinit { _ = unsafe cl_syscall(Int(__NR_munmap), base.argument, byteCount, 0, 0, 0, 0) }
    }
}
