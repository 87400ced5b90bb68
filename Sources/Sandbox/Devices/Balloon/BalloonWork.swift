// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux
public import Virtio

/// Serves the virtqueues of a balloon, virtio 1.2 §5.5.6.
public final class BalloonWork: DeviceWork {
    private let queues: BalloonQueues
    private let state: BalloonState
    private let epoll: Epoll
    private var discard: PageDiscard
    /// The statistics buffer, kept until new ones are wanted.
    private var kept: DescriptorChain?

    /// A queue's turn ends after this effort, about a microsecond each.
    private static let turn = 4096

    /// Makes the epoll set that its turns go by.
    public init(memory: GuestMemory, queues: BalloonQueues, state: BalloonState) throws(VirtioError) {
        self.queues = queues
        self.state = state
        discard = PageDiscard(memory: memory, state: state)
        do {
            epoll = try Self.watch(queues, state)
        } catch {
            throw .activation(operation: "epoll", errno: error.rawValue)
        }
    }

    private static func watch(_ queues: BalloonQueues, _ state: BalloonState) throws(Errno) -> Epoll {
        let epoll = try Epoll()
        try epoll.add(state.wake.descriptor.borrowed, .readable, token: 0)
        for queue in queues.all { try epoll.add(queue.kick.descriptor.borrowed, .readable, token: 0) }
        return epoll
    }

    /// There are few kicks, so it matters little whose it was.
    public var readiness: BorrowedDescriptor { epoll.borrowed }

    /// As ``DeviceWork/work(now:)``.
    public func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        for queue in queues.all { queue.kick.drain() }
        let wantsStatistics = state.wake.drain()
        var hasMore = try serve(queues.inflate) { discard.discard(numberedIn: $0.readable) }
        hasMore = try serve(queues.deflate) { takeBack($0) } || hasMore
        for queue in queues.reporting { hasMore = try serve(queue) { takeReport($0) } || hasMore }
        if let queue = queues.statistics { try serveStatistics(queue, wantsNew: wantsStatistics) }
        return hasMore ? now : nil
    }

    /// Gives back what is kept of the rings, for the next activation.
    func letGo() {
        if kept.take() != nil { queues.statistics?.rewind() }
    }

    /// - Returns: whether the turn ended before the queue did.
    private func serve(
        _ queue: Virtqueue, _ body: (DescriptorChain) -> Void
    ) throws(VirtioError) -> Bool {
        discard.beginTurn()
        queue.disableKicks()
        var served = 0
        defer { if served > 0 { queue.notify() } }
        while discard.effort + served < Self.turn {
            guard let chain = try queue.next() else {
                if queue.enableKicks() { continue }
                return false
            }
            body(chain)
            try queue.complete(chain.head, byteCount: 0)
            served += 1
        }
        return true
    }

    /// Pages come back by being touched; there is nothing to do for them.
    private func takeBack(_ chain: DescriptorChain) { state.deflatedPages.add(UInt64(chain.readableCount / 4)) }

    /// Pages that the guest does not use until it gets the chain back, §5.5.6.7. They are buffers to write, as all
    /// that may change is their contents.
    private func takeReport(_ chain: DescriptorChain) {
        for slice in chain.writable { state.reportedBytes.add(UInt64(discard.discard(slice))) }
    }

    /// The driver has one buffer with its figures out; it fills it anew when it gets it back, §5.5.6.4. More than
    /// one at a time stay in the queue, so that they cost nothing.
    private func serveStatistics(_ queue: Virtqueue, wantsNew: Bool) throws(VirtioError) {
        if wantsNew, let chain = kept.take() {
            try queue.complete(chain.head, byteCount: 0)
            queue.notify()
        }
        while kept == nil {
            guard let chain = try queue.next() else {
                if queue.enableKicks() { continue }
                return
            }
            let limit = BalloonStatistics.entryByteCount * BalloonStatistics.entryLimit
            let figures = BalloonStatistics(chain.readable.bytes(upTo: limit))
            state.statistics.withLock { $0 = figures }
            kept = chain
        }
        _ = queue.enableKicks()
    }
}
