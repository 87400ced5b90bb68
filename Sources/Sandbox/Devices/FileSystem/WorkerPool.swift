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

    var kick: Int32 { queue.kick.descriptor.rawValue }

    /// The next request; nil when there is none, and then a kick will tell of the next.
    func take(_ log: (String) -> Void) -> Taken? {
        lock.withLock { (_) -> Taken? in
            while !isBroken {
                do throws(VirtioError) {
                    if let chain = try queue.next() {
                        return Taken(chain: chain, backlog: Int(queue.pendingCount))
                    }
                    if !queue.enableKicks() { return nil }
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
            for queue in queues { try kicks.add(queue.kick, [.readable, .edgeTriggered], token: Token.work) }
            // Edge-triggered, a signal wakes one; it is kept where nobody sleeps yet.
            try bench.add(wake.descriptor.rawValue, [.readable, .edgeTriggered], token: Token.work)
            // Level-triggered, the end wakes all.
            try kicks.add(end.descriptor.rawValue, .readable, token: Token.end)
            try bench.add(end.descriptor.rawValue, .readable, token: Token.end)
        }

        func wakeOne() {
            if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wake.signal() }
        }
    }

    fileprivate enum Token {
        static let work: UInt64 = 0
        static let end: UInt64 = 1
    }

    private let shared: Shared
    private var workers: [Worker] = []

    init(
        server: FileServer, memory: GuestMemory, queues: [Virtqueue], count: Int,
        log: @escaping @Sendable (String) -> Void
    ) throws(Errno) {
        shared = try Shared(server: server, memory: memory, queues: queues.map(SharedQueue.init), log: log)
        do {
            for index in 0..<count { workers.append(try Worker(index, shared)) }
        } catch {
            stop()
            throw error
        }
    }

    /// Ends the workers, each after the request it is at.
    func stop() {
        shared.end.signal()
        for worker in workers { worker.join() }
        workers = []
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
    /// A transfer of this many bytes is worth waking somebody for, where others wait behind it.
    private static let largeTransfer = 64 << 10

    init(_ shared: WorkerPool.Shared, _ exchange: Exchange) {
        self.shared = shared
        self.exchange = exchange
        exchange.beforeWaiting = { [unowned self] in handOn() }
    }

    func run() {
        while true {
            if !listens {
                listens =
                    shared.hasListener.compareExchange(
                        expected: false, desired: true, ordering: .sequentiallyConsistent
                    ).exchanged
            }
            drain()
            let events = listens ? wait(shared.kicks) : sleep()
            if events.contains(where: { $0.token == WorkerPool.Token.end }) { return }
        }
    }

    /// Sleeps until woken, unless nobody listens. Who hands the listening on first says so and then looks for
    /// sleepers; who goes to sleep says so and then looks for a listener: one of them sees the other.
    private func sleep() -> [Epoll.Event] {
        shared.sleepers.add(1, ordering: .sequentiallyConsistent)
        defer { shared.sleepers.subtract(1, ordering: .sequentiallyConsistent) }
        return shared.hasListener.load(ordering: .sequentiallyConsistent) ? wait(shared.bench) : []
    }

    private func wait(_ epoll: borrowing Epoll) -> [Epoll.Event] { (try? epoll.wait(limit: 1)) ?? [] }

    /// Lets another worker listen, where this one does.
    private func handOn() {
        guard listens else { return }
        listens = false
        shared.hasListener.store(false, ordering: .sequentiallyConsistent)
        shared.wakeOne()
    }

    /// Serves until every queue is empty, the urgent one first.
    private func drain() {
        var isIdle = false
        while !isIdle {
            isIdle = true
            for queue in shared.queues {
                guard let taken = queue.take(shared.log) else { continue }
                if taken.backlog > 0, taken.chain.isLonger(than: Self.largeTransfer) { shared.wakeOne() }
                exchange.backlog = taken.backlog
                let byteCount = shared.server.serve(taken.chain, on: exchange)
                queue.complete(taken.chain.head, byteCount: byteCount)
                isIdle = false
                break
            }
        }
    }
}

extension DescriptorChain {
    /// Whether either part has more than `byteCount` bytes.
    fileprivate func isLonger(than byteCount: Int) -> Bool {
        readableCount > byteCount || writableCount > byteCount
    }
}
