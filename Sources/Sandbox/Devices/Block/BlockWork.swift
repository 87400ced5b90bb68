// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan
import CLinux
import Glibc
public import GuestMemory
import Linux
public import Virtio

/// A disk's requests from activation to reset: taken in their order, answered as the storage answers.
public final class BlockWork: DeviceWork, @unchecked Sendable {
    // @unchecked: the loop's thread's, until it is off the loop; others call `wake` alone.

    /// As ``DeviceWork/readiness``.
    public let readiness: BorrowedDescriptor
    private let queue: Virtqueue
    private let disk: Disk
    private let identifier: [UInt8]
    private let features: UInt64
    /// Nil where the kernel has none for us: each request is then done before the next.
    private let ring: IORing?
    private let transfers: TransferTable
    private var limiter: RateLimiter
    private let pendingLimits: PendingLimits
    private let counters: BlockCounters
    /// Held for as long as slices of it are about.
    private let memory: GuestMemory
    /// Whether requests were returned that the driver has not been told of.
    private var owesNotice = false

    init(
        readiness: BorrowedDescriptor, queue: Virtqueue, memory: GuestMemory, features: UInt64, disk: Disk,
        identifier: [UInt8],
        ring: IORing?, transfers: TransferTable, limiter: RateLimiter, pendingLimits: PendingLimits,
        counters: BlockCounters
    ) {
        self.readiness = readiness
        self.queue = queue
        self.memory = memory
        self.features = features
        self.disk = disk
        self.identifier = identifier
        self.ring = ring
        self.transfers = transfers
        self.limiter = limiter
        self.pendingLimits = pendingLimits
        self.counters = counters
    }

    /// A disk without a ring of its own, for a caller that calls ``work(now:)`` itself.
    public convenience init(
        disk: Disk, queue: Virtqueue, memory: GuestMemory, features: UInt64, limits: RateLimits = .unlimited,
        now: ContinuousClock.Instant = .now
    ) {
        self.init(
            readiness: queue.kick.descriptor.borrowed, queue: queue, memory: memory, features: features, disk: disk,
            identifier: Array("disk".utf8), ring: nil, transfers: TransferTable(count: BlockLimit.transfers),
            limiter: RateLimiter(limits, now: now), pendingLimits: PendingLimits(), counters: BlockCounters())
    }

    /// Has the loop give this work a turn. Any thread may call it.
    func wake() { queue.kick.signal() }

    /// As ``DeviceWork/work(now:)``.
    public func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        queue.kick.drain()
        if let limits = pendingLimits.take() { limiter.update(limits, now: now) }
        defer { notify() }
        try takeCompletions()
        let next = try takeRequests(now)
        let hadRoom = transfers.freeCount > 0
        guard try exchange() else { return now.advanced(by: .milliseconds(1)) }
        // What stopped for want of room may go on if there is some now; if not, a completion tells.
        return hadRoom || transfers.freeCount == 0 ? next : now
    }

    /// Sees every request that is under way to its end, and returns it. The kernel touches no guest memory after.
    public func finish() {
        while !transfers.isEmpty, let ring {
            do throws(Errno) {
                try ring.wait()
            } catch {
                // A ring that broke answers nothing any more.
                guard error == .wouldBlock || error == .busy else { break }
                SystemTime.sleep(milliseconds: 1)
            }
            // A queue that does not take its requests back has no driver to wait for them either.
            try? takeCompletions()
        }
        notify()
    }

    /// - Returns: when to go on at the latest.
    private func takeRequests(_ now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        queue.disableKicks()
        let turn = ring == nil ? BlockLimit.waitingTurn : BlockLimit.turn
        var taken = 0
        while transfers.freeCount > 0 {
            if taken == turn { return now }
            guard let chain = try queue.next() else {
                if queue.enableKicks() { continue }
                return nil
            }
            let request = try BlockRequest(chain, disk: disk, features: features)
            let moves = request.operation == .read || request.operation == .write
            if let later = limiter.consume(bytes: moves ? request.byteCount : 0, now: now) {
                queue.rewind()
                counters.stalls.add()
                return later
            }
            taken += 1
            try begin(request, chain)
        }
        return nil
    }

    private func begin(_ request: BlockRequest, _ chain: DescriptorChain) throws(VirtioError) {
        switch request.operation {
        case nil:
            return try end(request, request.status)
        case .identify:
            return try end(request, identify(chain))
        case .read, .write:
            let index = transfers.add(request)
            let isRead = request.operation == .read
            let fits =
                isRead
                ? transfers.aim(index, at: chain.writable, from: 0, byteCount: request.byteCount)
                : transfers.aim(
                    index, at: chain.readable, from: BlockRequest.headerCount, byteCount: request.byteCount)
            guard fits else { return try end(index, .failed) }
            try start(index)
        case .flush, .discard, .zero, .zeroAndDiscard:
            try start(transfers.add(request))
        }
    }

    /// VIRTIO_BLK_T_GET_ID: 20 bytes, zeroes behind the text.
    private func identify(_ chain: DescriptorChain) -> BlockStatus {
        var slices = chain.writable[...]
        var place = 0
        for index in 0..<BlockRequest.identifierCount {
            while let slice = slices.first, place == slice.count {
                slices = slices.dropFirst()
                place = 0
            }
            let byte = index < identifier.count ? identifier[index] : 0
            guard let slice = slices.first, (try? slice.store(byte, at: place)) != nil else { return .failed }
            place += 1
        }
        return .done
    }

    // MARK: the storage

    private func start(_ index: Int) throws(VirtioError) {
        if let ring {
            // One entry a transfer: there is always room for it.
            let isQueued = ring.push(entry(of: index))
            precondition(isQueued)
        } else {
            while try !settle(index, perform(index)) {}
        }
    }

    /// Hands the ring what is queued, and takes what is complete.
    ///
    /// - Returns: false where the kernel cannot take more for the moment.
    private func exchange() throws(VirtioError) -> Bool {
        guard let ring else { return true }
        while ring.queuedCount > 0 {
            do throws(Errno) {
                try ring.submit()
            } catch {
                guard error == .wouldBlock || error == .busy else {
                    throw .activation(operation: "io_uring_enter", errno: error.rawValue)
                }
                try takeCompletions()
                return false
            }
            try takeCompletions()
        }
        return true
    }

    private func takeCompletions() throws(VirtioError) {
        guard let ring else { return }
        while let completion = ring.takeCompletion() {
            let index = Int(completion.token)
            if try !settle(index, Int(completion.result)) { try start(index) }
        }
    }

    private func entry(of index: Int) -> cl_uring_sqe {
        let transfer = transfers[index]
        let request = transfer.request
        var entry = cl_uring_sqe()
        entry.token = UInt64(index)
        entry.offset = request.offset &+ transfer.moved
        switch request.operation {
        case .read, .write:
            // The transfer stays until the kernel has answered.
            let vectors = unsafe transfers.vectors(of: index)
            // The table keeps them until the transfer is removed, which is after its completion.
            entry.address = UInt64(UInt(bitPattern: vectors.baseAddress))
            entry.count = UInt32(vectors.count)
            entry.opcode = UInt8(request.operation == .read ? CL_URING_OP_READV : CL_URING_OP_WRITEV)
            entry.operation_flags = request.operation == .write && writesThrough ? UInt32(CL_RWF_DSYNC) : 0
        case .discard, .zeroAndDiscard, .zero:
            entry.opcode = UInt8(CL_URING_OP_FALLOCATE)
            entry.address = request.byteCount
            entry.count = UInt32(request.operation == .zero ? AllocationMode.zero : AllocationMode.punch)
        case .flush, .identify, nil:
            entry.opcode = UInt8(CL_URING_OP_FSYNC)
            entry.offset = 0
            entry.operation_flags = UInt32(CL_URING_FSYNC_DATASYNC)
        }
        return entry
    }

    /// The same, without a ring.
    private func perform(_ index: Int) -> Int {
        let transfer = transfers[index]
        let request = transfer.request
        let file = disk.file.borrowed
        let offset = request.offset &+ transfer.moved
        switch request.operation {
        case .read:
            // The transfer stays for the call.
            return unsafe PositionedIO.read(file, into: transfers.vectors(of: index), at: offset)
        case .write:
            // The transfer stays for the call.
            return unsafe PositionedIO.write(
                file, from: transfers.vectors(of: index), at: offset, isDurable: writesThrough)
        case .discard, .zeroAndDiscard:
            return PositionedIO.allocate(
                file, mode: AllocationMode.punch, at: offset, byteCount: request.byteCount)
        case .zero:
            return PositionedIO.allocate(file, mode: AllocationMode.zero, at: offset, byteCount: request.byteCount)
        case .flush, .identify, nil:
            return PositionedIO.synchronize(file)
        }
    }

    /// §5.2.6.2: a driver that cannot flush takes what is written for safe.
    private var writesThrough: Bool { features & BlockFeature.flush == 0 }

    // MARK: the answers

    /// Takes what the kernel answered.
    ///
    /// - Returns: whether the request has ended; if not, it is to be started again.
    private func settle(_ index: Int, _ answer: Int) throws(VirtioError) -> Bool {
        let transfer = transfers[index]
        var answer = answer
        if answer == -Int(EINTR) || answer == -Int(EAGAIN) {
            transfers[index].attempts += 1
            // A file that never can is no reason to try for ever.
            if transfer.attempts < 16 { return false }
        }
        switch transfer.request.operation {
        case .read, .write:
            // 0: the disk has become shorter, or is full.
            guard answer > 0 else { break }
            transfers.advance(index, by: UInt64(answer))
            guard transfer.moved &+ UInt64(answer) >= transfer.request.byteCount else { return false }
            answer = 0
            try end(index, .done)
            return true
        case .zeroAndDiscard where answer == -Int(EOPNOTSUPP):
            transfers[index].request.operation = .zero
            return false
        case .discard where answer == -Int(EOPNOTSUPP) && disk.isBlockDevice:
            // Storage that can discard, but not so that zeroes are read afterwards.
            answer = PositionedIO.discard(
                disk.file.borrowed, at: transfer.request.offset, byteCount: transfer.request.byteCount)
            fallthrough
        default:
            guard answer >= 0 else { break }
            try end(index, .done)
            return true
        }
        try end(index, answer == -Int(EOPNOTSUPP) ? .unsupported : .failed)
        return true
    }

    private func end(_ index: Int, _ status: BlockStatus) throws(VirtioError) {
        let request = transfers[index].request
        transfers.remove(index)
        try end(request, status)
    }

    private func end(_ request: BlockRequest, _ status: BlockStatus) throws(VirtioError) {
        count(request, status)
        do {
            try request.answer.store(status.rawValue, at: 0)
        } catch { throw .buffer(head: request.head, error) }
        try queue.complete(request.head, byteCount: request.usedCount)
        owesNotice = true
    }

    private func notify() {
        guard owesNotice else { return }
        owesNotice = false
        queue.notify()
    }

    private func count(_ request: BlockRequest, _ status: BlockStatus) {
        guard status == .done else { return counters.failures.add() }
        switch request.operation {
        case .read:
            counters.reads.add()
            counters.readBytes.add(request.byteCount)
        case .write:
            counters.writes.add()
            counters.writtenBytes.add(request.byteCount)
        case .flush: counters.flushes.add()
        case .discard, .zero, .zeroAndDiscard: counters.discards.add()
        case .identify, nil: break
        }
    }
}
