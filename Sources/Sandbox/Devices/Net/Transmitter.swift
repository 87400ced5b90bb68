// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import GuestMemory
import Linux
import Virtio

/// Frames from the driver to the tap, virtio 1.2 §5.1.6.2: written straight from its buffers. Their headers go to the
/// kernel as they are, which checks them and refuses what makes no sense.
final class Transmitter {
    /// What is written to, open for as long as it stands here. Where there is none, frames are taken and thrown away, as
    /// with a cable pulled out.
    private var tap: BorrowedDescriptor?
    private let queue: Virtqueue
    private let counters: NetCounters
    private let vectors: Vectors
    var limiter: RateLimiter
    private(set) var pause = Pause.turn

    /// The vectors of one writev(2).
    @safe private final class Vectors {
        let base: UnsafeMutablePointer<cl_iovec>
        // This object's until deinit.
        init() { unsafe base = .allocate(capacity: NetLimit.vectors) }
        deinit { unsafe base.deallocate() }
    }

    init(queue: Virtqueue, limiter: RateLimiter, counters: NetCounters) {
        self.queue = queue
        self.limiter = limiter
        self.counters = counters
        vectors = Vectors()
    }

    /// Frames go to `tap` from now on, which stays open until ``unplug()``.
    func plug(_ tap: BorrowedDescriptor) {
        self.tap = tap
        pause = .turn
    }

    /// Frames go nowhere any more; those that wait are to be taken.
    func unplug() {
        tap = nil
        pause = .turn
    }

    /// A turn, after something came that may end the pause.
    func turn(_ now: ContinuousClock.Instant) throws(VirtioError) {
        pause = try pass(now)
    }

    private func pass(_ now: ContinuousClock.Instant) throws(VirtioError) -> Pause {
        queue.disableKicks()
        var count = 0
        defer { if count > 0 { queue.notify() } }
        while count < NetLimit.turn {
            guard let chain = try queue.next() else {
                if queue.enableKicks() { continue }
                return .driver
            }
            let byteCount = chain.readableCount - NetLimit.header
            if let tap, byteCount >= NetLimit.ethernet, byteCount <= NetLimit.frame,
                chain.readable.count <= NetLimit.vectors
            {
                if let later = limiter.consume(bytes: UInt64(byteCount), now: now) {
                    queue.rewind()
                    counters.stalls.add()
                    return .limit(later)
                }
                let result = send(chain, to: tap)
                switch result {
                case 0...:
                    counters.frames.add()
                    counters.bytes.add(UInt64(byteCount))
                case -Int(EAGAIN):
                    limiter.giveBack(bytes: UInt64(byteCount))
                    queue.rewind()
                    counters.waits.add()
                    return .tap
                case -Int(EBADFD), -Int(ENODEV):
                    queue.rewind()
                    return .lost(Errno(rawValue: Int32(-result)))
                default:
                    // A header that lies (EINVAL), an interface that is down (EIO), no memory for it now.
                    counters.drops.add()
                }
            } else {
                counters.drops.add()
            }
            try queue.complete(chain.head, byteCount: 0)
            count += 1
        }
        return .turn
    }

    private func send(_ chain: DescriptorChain, to tap: BorrowedDescriptor) -> Int {
        var count = 0
        for slice in chain.readable {
            // The kernel alone reads through it, during the call.
            unsafe slice.withBytes { bytes in
                unsafe vectors.base[count] = cl_iovec(base: bytes.baseAddress, count: bytes.count)
            }
            count &+= 1
        }
        while true {
            // The vectors are filled up to their count, with slices of memory that is held.
            let result = unsafe TapInterface.write(
                tap, from: UnsafeBufferPointer(start: vectors.base, count: count))
            if result != -Int(EINTR) { return result }
        }
    }
}
