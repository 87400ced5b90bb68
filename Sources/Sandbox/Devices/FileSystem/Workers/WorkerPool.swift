// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Synchronization
import Virtio

/// A virtqueue that several workers take from.
private final class SharedQueue: @unchecked Sendable {
    // @unchecked: the queue is used under the lock.
    private let lock = Mutex<Void>(())
    private let queue: Virtqueue
    private var isBroken = false

    struct Taken {
        let chain: DescriptorChain
        let backlog: Int
    }

    init(_ queue: Virtqueue) { self.queue = queue }

    var kick: BorrowedDescriptor { queue.kick.descriptor.borrowed }

    /// Whether a request is there.
    var hasRequest: Bool { lock.withLock { _ in !isBroken && queue.pendingCount > 0 } }

    /// The next request; nil when there is none, and then, where `asksForKicks`, a kick will tell of the next.
    func take(asksForKicks: Bool, _ log: (String) -> Void) -> Taken? {
        lock.withLock { (_) -> Taken? in
            while !isBroken {
                do throws(VirtioError) {
                    if let chain = try queue.next() {
                        return Taken(chain: chain, backlog: Int(queue.pendingCount))
                    }
                    if !asksForKicks || !queue.enableKicks() { return nil }
                } catch {
                    switch error {
                    case .buffer(let head, _), .chainTooLong(let head), .chainTooShort(let head),
                        .indirectTable(let head), .descriptorOrder(let head):
                        // One bad request: it goes back with nothing written.
                        if (try? queue.complete(head, byteCount: 0)) != nil {
                            queue.notify()
                            continue
                        }
                    default: break
                    }
                    isBroken = true
                    log("virtqueue stopped: \(error)")
                }
            }
            return nil
        }
    }

    func complete(_ head: UInt16, byteCount: UInt32) {
        lock.withLock { _ in
            if (try? queue.complete(head, byteCount: byteCount)) != nil { queue.notify() }
        }
    }
}

/// The threads that serve a device's queues while it runs.
///
/// One of them listens: it waits for kicks, and serves what comes itself, for waking another costs more than
/// most requests do. Before it does something that takes long, it hands the listening on and goes on as a
/// helper; the others sleep until then, or until large transfers queue up that are worth sharing.
final class WorkerPool {
    fileprivate final class Shared: Sendable {
        let server: FileServer
        /// Keeps the mapping alive as long as a worker may use it.
        let memory: GuestMemory
        let queues: [SharedQueue]
        /// Kicks, edge-triggered, for the listener.
        let kicks: Epoll
        /// What the others sleep at.
        let bench: Epoll
        let wake: EventFD
        let end: EventFD
        let hasListener = Atomic<Bool>(false)
        let sleepers = Atomic<Int>(0)
        /// Set before `end` is signalled: a guest that never stops asking does not keep the workers.
        let isEnding = Atomic<Bool>(false)
        let log: @Sendable (String) -> Void

        init(
            server: FileServer, memory: GuestMemory, queues: [SharedQueue], log: @escaping @Sendable (String) -> Void
        ) throws(Errno) {
            self.server = server
            self.memory = memory
            self.queues = queues
            self.log = log
            kicks = try Epoll()
            bench = try Epoll()
            wake = try EventFD()
            end = try EventFD()
            for queue in queues { try kicks.add(queue.kick, [.readable, .edgeTriggered], token: 0) }
            // Edge-triggered, a signal wakes one; it is kept where no worker sleeps yet.
            try bench.add(wake.descriptor.borrowed, [.readable, .edgeTriggered], token: 0)
            // Level-triggered, the end wakes all.
            try kicks.add(end.descriptor.borrowed, .readable, token: 0)
            try bench.add(end.descriptor.borrowed, .readable, token: 0)
        }

        func wakeOne() {
            if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake.signal() }
        }
    }

    private let shared: Shared
    private var workers: [Worker] = []
    private var watch: MountWatch?

    init(
        server: FileServer, memory: GuestMemory, queues: [Virtqueue], count: Int,
        log: @escaping @Sendable (String) -> Void
    ) throws(Errno) {
        shared = try Shared(server: server, memory: memory, queues: queues.map(SharedQueue.init), log: log)
        do {
            watch = try MountWatch(shared)
            for index in 0..<count { workers.append(try Worker(index, shared)) }
        } catch {
            stop()
            throw error
        }
    }

    /// Ends the workers, each after the request it is at.
    func stop() {
        shared.isEnding.store(true, ordering: .sequentiallyConsistent)
        shared.end.signal()
        for worker in workers { worker.join() }
        workers = []
        watch?.join()
        watch = nil
    }

    /// A thread that tells the server when mounts come and go. One of its own: a guest that never stops asking does not
    /// keep it from that.
    private final class MountWatch {
        private var thread: Thread?

        init(_ shared: Shared) throws(Errno) {
            let mounts = try FileDescriptor.open("/proc/thread-self/mountinfo")
            let epoll = try Epoll()
            try epoll.add(mounts.borrowed, [.urgent, .edgeTriggered], token: 0)
            try epoll.add(shared.end.descriptor.borrowed, .readable, token: 0)
            let watched = Watched(epoll: epoll, mounts: mounts)
            thread = try Thread(named: "fsd mounts") {
                while !shared.isEnding.load(ordering: .sequentiallyConsistent) {
                    guard (try? watched.epoll.wait(limit: 1)) != nil else { return }
                    shared.server.revokeUnmounted()
                }
            }
        }

        func join() { thread.take()?.join() }

        private final class Watched: Sendable {
            let epoll: Epoll
            let mounts: FileDescriptor

            init(epoll: consuming Epoll, mounts: consuming FileDescriptor) {
                self.epoll = epoll
                self.mounts = mounts
            }
        }
    }

    /// One thread of the pool.
    private final class Worker {
        private var thread: Thread?

        init(_ index: Int, _ shared: Shared) throws(Errno) {
            thread = try Thread(named: "fsd worker \(index)") {
                do {
                    Serving(shared, Exchange(credentials: try Credentials())).run()
                } catch {
                    shared.log("worker without credentials of its own: \(error)")
                }
            }
        }

        func join() { thread.take()?.join() }
    }
}

/// What one worker does. Used by its thread alone.
private final class Serving {
    private let shared: WorkerPool.Shared
    private let exchange: Exchange
    private var listens = false
    private var polling = Polling()
    /// A read of this many bytes is worth waking a worker for, where others wait behind it. A write is not: the
    /// host's kernel lets one at a time into a file.
    private static let largeRead = 64 << 10

    init(_ shared: WorkerPool.Shared, _ exchange: Exchange) {
        self.shared = shared
        self.exchange = exchange
        exchange.beforeWaiting = { [unowned self] in handOn() }
    }

    func run() {
        while !shared.isEnding.load(ordering: .relaxed) {
            if !listens {
                listens =
                    shared.hasListener.compareExchange(
                        expected: false, desired: true, ordering: .sequentiallyConsistent
                    ).exchanged
            }
            drain()
            if listens { listen() } else { sleep() }
        }
    }

    /// Looks for the next request for a moment, then waits for a kick.
    private func listen() {
        if polling.duration > 0 {
            let end = Polling.now() + polling.duration
            repeat {
                if shared.queues.contains(where: { $0.hasRequest }) {
                    polling.found()
                    return
                }
            } while Polling.now() < end
            polling.missed()
        }
        // Only now does the driver have to kick; what came before it knew is served here.
        drain(asksForKicks: true)
        guard listens else { return }
        let start = Polling.now()
        wait(shared.kicks)
        polling.slept(Polling.now() - start)
    }

    /// Sleeps until woken, unless no worker listens. A worker that hands the listening on says so first and then looks
    /// for sleepers; one that goes to sleep says so and then looks for a listener: one of them sees the other.
    private func sleep() {
        shared.sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { shared.sleepers.subtract(1, ordering: .sequentiallyConsistent) }
        if shared.hasListener.load(ordering: .sequentiallyConsistent) { wait(shared.bench) }
    }

    /// Whatever happens is looked for by the caller.
    private func wait(_ epoll: borrowing Epoll) { _ = try? epoll.wait(limit: 1) }

    /// Lets another worker listen, where this one does.
    private func handOn() {
        guard listens else { return }
        listens = false
        shared.hasListener.store(false, ordering: .sequentiallyConsistent)
        shared.wakeOne()
    }

    /// Serves until every queue is empty, the urgent one first.
    private func drain(asksForKicks: Bool = false) {
        var isIdle = false
        while !isIdle, !shared.isEnding.load(ordering: .relaxed) {
            isIdle = true
            for queue in shared.queues {
                guard let taken = queue.take(asksForKicks: asksForKicks, shared.log) else { continue }
                if taken.backlog > 0, taken.chain.writableCount > Self.largeRead { shared.wakeOne() }
                exchange.backlog = taken.backlog
                let byteCount = shared.server.serve(taken.chain, on: exchange)
                queue.complete(taken.chain.head, byteCount: byteCount)
                isIdle = false
                break
            }
        }
    }
}
