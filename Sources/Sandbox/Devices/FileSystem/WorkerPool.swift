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
        let hasMore: Bool
    }

    init(_ queue: Virtqueue) { self.queue = queue }

    var kick: Int32 { queue.kick.descriptor.rawValue }

    /// The next request, and whether more are waiting behind it; nil when there is none, and then a kick will
    /// tell of the next.
    func take(_ log: (String) -> Void) -> Taken? {
        lock.withLock { (_) -> Taken? in
            while !isBroken {
                do throws(VirtioError) {
                    if let chain = try queue.next() {
                        return Taken(chain: chain, hasMore: queue.enableKicks())
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
/// All wait at one epoll. A kick wakes one of them (the descriptors are watched edge-triggered); one who
/// takes a request and sees more behind it wakes another, so that a slow request holds up nobody.
final class WorkerPool {
    private final class Shared: Sendable {
        let server: FileServer
        /// Keeps the mapping alive as long as a worker may use it.
        let memory: GuestMemory
        let queues: [SharedQueue]
        let epoll: Epoll
        let wake: EventFD
        let end: EventFD
        let sleepers = Atomic<Int>(0)
        let log: @Sendable (String) -> Void

        init(
            server: FileServer, memory: GuestMemory, queues: [SharedQueue], log: @escaping @Sendable (String) -> Void
        ) throws(Errno) {
            self.server = server
            self.memory = memory
            self.queues = queues
            self.log = log
            epoll = try Epoll()
            wake = try EventFD()
            end = try EventFD()
            for queue in queues { try epoll.add(queue.kick, [.readable, .edgeTriggered], token: Token.work) }
            try epoll.add(wake.descriptor.rawValue, [.readable, .edgeTriggered], token: Token.work)
            // Level-triggered: it wakes every worker.
            try epoll.add(end.descriptor.rawValue, .readable, token: Token.end)
        }
    }

    private enum Token {
        static let work: UInt64 = 0
        static let end: UInt64 = 1
    }

    /// One thread of the pool.
    private final class Worker {
        private var thread: Thread?

        init(_ index: Int, _ shared: Shared) throws(Errno) {
            thread = try Thread(named: "fsd worker \(index)") { WorkerPool.work(shared) }
        }

        func join() { thread.take()?.join() }
    }

    private let shared: Shared
    private var workers: [Worker] = []

    init(
        server: FileServer, memory: GuestMemory, queues: [Virtqueue], count: Int,
        log: @escaping @Sendable (String) -> Void
    ) throws(Errno) {
        shared = try Shared(server: server, memory: memory, queues: queues.map(SharedQueue.init), log: log)
        let shared = shared
        do {
            for index in 0..<count {
                workers.append(try Worker(index, shared))
            }
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

    private static func work(_ shared: Shared) {
        let exchange: Exchange
        do {
            exchange = Exchange(credentials: try Credentials())
        } catch {
            shared.log("worker without credentials of its own: \(error)")
            return
        }
        while true {
            drain(shared, exchange)
            shared.sleepers.add(1, ordering: .sequentiallyConsistent)
            let events = (try? shared.epoll.wait(limit: 1)) ?? []
            shared.sleepers.subtract(1, ordering: .sequentiallyConsistent)
            if events.contains(where: { $0.token == Token.end }) { return }
        }
    }

    /// Serves until every queue is empty, the urgent one first.
    private static func drain(_ shared: Shared, _ exchange: Exchange) {
        var isIdle = false
        while !isIdle {
            isIdle = true
            for queue in shared.queues {
                guard let taken = queue.take(shared.log) else { continue }
                if taken.hasMore, shared.sleepers.load(ordering: .sequentiallyConsistent) > 0 { shared.wake.signal() }
                let byteCount = shared.server.serve(taken.chain, on: exchange)
                queue.complete(taken.chain.head, byteCount: byteCount)
                isIdle = false
                break
            }
        }
    }
}
