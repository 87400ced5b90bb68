// SPDX-License-Identifier: Apache-2.0
internal import GuestMemory
internal import Linux
internal import Virtio

/// Fills what the driver asks for, virtio 1.2 §5.4.6.
final class EntropyWork: DeviceWork {
    /// Held for as long as the queue is.
    private let memory: GuestMemory
    private let queue: Virtqueue
    private let source: EntropySource

    /// A turn ends after so many bytes or requests, for the other devices' sake.
    private static let turnByteCount = 128 * 1024
    private static let turnRequests = 64

    init(memory: GuestMemory, queue: Virtqueue, source: EntropySource) {
        self.memory = memory
        self.queue = queue
        self.source = source
    }

    var readiness: BorrowedDescriptor { queue.kick.descriptor.borrowed }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        queue.kick.drain()
        queue.disableKicks()
        var requests = 0
        var byteCount = 0
        defer { if requests > 0 { queue.notify() } }
        while requests < Self.turnRequests, byteCount < Self.turnByteCount {
            if let later = source.nextPass(now: now) {
                // Nothing to wait for where nothing is asked.
                if queue.pendingCount > 0 {
                    source.limited.add()
                    return later
                }
                if queue.enableKicks() { continue }
                return nil
            }
            guard let chain = try queue.next() else {
                if queue.enableKicks() { continue }
                return nil
            }
            let written = try source.fill(chain)
            try queue.complete(chain.head, byteCount: UInt32(written))
            requests += 1
            byteCount += written
        }
        return now
    }
}
