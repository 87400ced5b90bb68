// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux
import Virtio

/// Frames from the tap to the driver, virtio 1.2 §5.1.6.3: read straight into its buffers.
final class Receiver {
    /// What is read from; open for as long as it stands here.
    private var tap: BorrowedDescriptor?
    private let queue: Virtqueue
    private let buffers: ReceiveBuffers
    private let counters: NetCounters
    private let isMergeable: Bool
    private let hasChecksums: Bool
    private let hasSegmentation: Bool
    /// As much as one read is given where there is so much.
    private var wanted = 0
    /// A frame that is longer than the buffers were: its bytes, of which the last `overflow` wait for more buffers.
    private var pending: (byteCount: Int, overflow: Int)?
    var limiter: RateLimiter
    private(set) var pause = Pause.turn

    init(queue: Virtqueue, features: UInt64, limiter: RateLimiter, counters: NetCounters) {
        self.queue = queue
        buffers = ReceiveBuffers(chainLimit: Int(queue.size))
        self.limiter = limiter
        self.counters = counters
        isMergeable = features & NetFeature.mergeableBuffers != 0
        hasChecksums = features & NetFeature.guestChecksum != 0
        hasSegmentation = features & NetFeature.guestSegmentation != 0
    }

    /// Frames come from `tap` from now on, which stays open until ``unplug()``.
    func plug(_ tap: BorrowedDescriptor, mtu: Int?) {
        self.tap = tap
        wanted = NetLimit.header + (hasSegmentation ? NetLimit.frame : (mtu ?? 1500) + NetLimit.ethernet + 4)
        pause = .turn
    }

    /// Nothing comes any more. The driver's buffers are kept for the next tap; a frame that has come in part is lost.
    func unplug() {
        tap = nil
        dropPending()
    }

    /// A turn, after something came that may end the pause.
    func turn(_ now: ContinuousClock.Instant) throws(VirtioError) {
        pause = try pass(now)
    }

    /// Gives back every chain that holds no frame.
    func finish() {
        dropPending()
        queue.rewind(UInt16(buffers.chainCount))
        buffers.removeAll()
    }

    private func pass(_ now: ContinuousClock.Instant) throws(VirtioError) -> Pause {
        guard let tap else { return .tap }
        var count = 0
        defer { if count > 0 { queue.notify() } }
        while true {
            if try !gather() {
                counters.waits.add()
                return .driver
            }
            if try finishPending() {
                count += 1
                continue
            }
            if count >= NetLimit.turn { return .turn }
            if let later = limiter.nextPass(now: now) {
                counters.stalls.add()
                return .limit(later)
            }
            // The vectors hold until the buffers change.
            let result = unsafe TapInterface.read(tap, into: buffers.forReading())
            // A frame that is lost counts as well: a turn ends.
            count += 1
            switch result {
            case NetLimit.header...: try take(result)
            case -Int(EINTR): continue
            case -Int(EAGAIN):
                count -= 1
                return .tap
            // A frame that the kernel cannot put a header to, or that has none.
            case -Int(EINVAL), -Int(ENOMEM), 0..<NetLimit.header: counters.drops.add()
            default:
                count -= 1
                return .lost(Errno(rawValue: Int32(-result)))
            }
        }
    }

    /// Takes chains until there are enough for any frame, or no more.
    ///
    /// - Returns: false where the driver must give buffers first.
    private func gather() throws(VirtioError) -> Bool {
        let need = pending?.byteCount ?? 1
        let enough = !isMergeable ? 1 : max(wanted, need)
        queue.disableKicks()
        while buffers.byteCount < enough {
            guard let chain = try queue.next() else {
                if buffers.byteCount >= need { return true }
                if queue.enableKicks() { continue }
                // With all its buffers here the driver may not give more before it gets one back.
                return try !dropIfStuck() ? false : gather()
            }
            guard chain.writableCount >= NetLimit.header else { throw .chainTooShort(head: chain.head) }
            guard chain.writable.count < NetLimit.vectors else { throw .chainTooLong(head: chain.head) }
            if !buffers.append(chain) {
                queue.rewind()
                if buffers.byteCount >= need { return true }
                dropPending()
                return true
            }
        }
        return true
    }

    private func take(_ byteCount: Int) throws(VirtioError) {
        let overflow = byteCount - buffers.byteCount
        if overflow <= 0 { return try complete(byteCount) }
        if isMergeable {
            pending = (byteCount, overflow)
        } else {
            counters.drops.add()
        }
    }

    /// - Returns: whether a frame that waited for buffers has gone to the driver.
    private func finishPending() throws(VirtioError) -> Bool {
        guard let (byteCount, overflow) = pending, buffers.byteCount >= byteCount else { return false }
        pending = nil
        buffers.fill(from: byteCount - overflow, overflow)
        try complete(byteCount)
        return true
    }

    private func complete(_ byteCount: Int) throws(VirtioError) {
        try buffers.complete(byteCount, on: queue, hasChecksums: hasChecksums)
        let count = UInt64(byteCount - NetLimit.header)
        counters.frames.add()
        counters.bytes.add(count)
        limiter.charge(bytes: count)
    }

    /// - Returns: whether there was a frame longer than all buffers of the driver, which is lost.
    private func dropIfStuck() throws(VirtioError) -> Bool {
        guard pending != nil, buffers.vectorCount >= Int(queue.size) else { return false }
        dropPending()
        return true
    }

    private func dropPending() {
        guard pending != nil else { return }
        pending = nil
        counters.drops.add()
    }
}
