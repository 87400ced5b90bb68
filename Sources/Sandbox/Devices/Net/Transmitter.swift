import CLinux
import Glibc
import GuestMemory
import Linux
import RateLimiter
import Virtio

/// Frames from the driver to the tap, virtio 1.2 §5.1.6.2: written straight from its buffers. Their headers go to the
/// kernel as they are, which checks them and refuses what makes no sense.
final class Transmitter {
    private let tap: Tap
    private let queue: Virtqueue
    private let counters: NetCounters
    private let vectors: Vectors
    var limiter: RateLimiter
    private(set) var pause = Pause.turn
    /// Where there is no interface any more, frames are taken and thrown away, as with a cable pulled out.
    var isCut = false

    /// The vectors of one writev(2).
    @safe private final class Vectors {
        let base: UnsafeMutablePointer<cl_iovec>
        init() { unsafe base = .allocate(capacity: NetLimit.vectors) }
        deinit { unsafe base.deallocate() }
    }

    init(tap: Tap, queue: Virtqueue, limiter: RateLimiter, counters: NetCounters) {
        self.tap = tap
        self.queue = queue
        self.limiter = limiter
        self.counters = counters
        vectors = Vectors()
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
            if isCut || byteCount < NetLimit.ethernet || byteCount > NetLimit.frame
                || chain.readable.count > NetLimit.vectors
            {
                counters.drops.add()
            } else {
                if let later = limiter.consume(bytes: UInt64(byteCount), now: now) {
                    queue.rewind()
                    counters.stalls.add()
                    return .limit(later)
                }
                let result = send(chain)
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
            }
            try queue.complete(chain.head, byteCount: 0)
            count += 1
        }
        return .turn
    }

    private func send(_ chain: DescriptorChain) -> Int {
        var count = 0
        for slice in chain.readable {
            // The kernel alone reads through it, during the call.
            unsafe slice.withBytes { bytes in
                unsafe vectors.base[count] = cl_iovec(base: bytes.baseAddress, count: bytes.count)
            }
            count &+= 1
        }
        while true {
            let result = unsafe TapInterface.write(
                tap.file.rawValue, from: UnsafeBufferPointer(start: vectors.base, count: count))
            if result != -Int(EINTR) { return result }
        }
    }
}
