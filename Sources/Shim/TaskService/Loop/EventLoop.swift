import Linux

/// The one loop of the shim, epoll(7): what happens on descriptors, and what is due at a time. All on one thread, so
/// nothing here is locked, and a copy of the process may be forked at any moment.
final class EventLoop {
    /// A descriptor being watched. Let go of with ``EventLoop/ignore(_:)``.
    struct Watch: Hashable {
        fileprivate let token: UInt64
        fileprivate let descriptor: Int32
    }

    /// Something that is to happen later.
    struct Timer: Hashable {
        fileprivate let number: UInt64
    }

    private struct Due {
        let number: UInt64
        /// Nanoseconds on the monotonic clock.
        let time: UInt64
        let body: () -> Void
    }

    private let epoll: Epoll
    private var handlers: [UInt64: (Epoll.Events) -> Void] = [:]
    private var lastNumber: UInt64 = 0
    /// A handful at a time.
    private var dues: [Due] = []
    private var isStopped = false
    fileprivate var workers: [(UInt64) -> UInt64?] = []

    init() throws(Errno) {
        epoll = try Epoll()
    }

    /// Calls `body` whenever one of `events` is there on `descriptor`, which stays the caller's and open.
    func watch(
        _ descriptor: Int32, _ events: Epoll.Events, _ body: @escaping (Epoll.Events) -> Void
    ) throws(Errno) -> Watch {
        lastNumber += 1
        try epoll.add(descriptor, events, token: lastNumber)
        handlers[lastNumber] = body
        return Watch(token: lastNumber, descriptor: descriptor)
    }

    /// Call before the descriptor is closed.
    func ignore(_ watch: Watch) {
        guard handlers.removeValue(forKey: watch.token) != nil else { return }
        try? epoll.remove(watch.descriptor)
    }

    /// Calls `body` once, when `delay` has passed.
    @discardableResult
    func after(_ delay: Duration, _ body: @escaping () -> Void) -> Timer {
        let (seconds, attoseconds) = delay.components
        let length = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
        return at(Deadline.now &+ length, body)
    }

    /// Calls `body` once, at a moment of the monotonic clock, in nanoseconds.
    @discardableResult
    func at(_ time: UInt64, _ body: @escaping () -> Void) -> Timer {
        lastNumber += 1
        dues.append(Due(number: lastNumber, time: time, body: body))
        return Timer(number: lastNumber)
    }

    func cancel(_ timer: Timer) {
        dues.removeAll { $0.number == timer.number }
    }

    /// Makes ``run()`` return after the round under way.
    func stop() { isStopped = true }

    /// Serves until ``stop()``.
    func run() throws(Errno) {
        while !isStopped { try turn() }
    }

    /// Waits for something to happen, `limit` at most, and does what there is to do.
    func turn(limit: Duration? = nil) throws(Errno) {
        // What they do may bring more about for one before them, which the next turn sees to.
        let next = workers.compactMap { $0(Deadline.now) }.min()
        let events = try epoll.wait(milliseconds: wait(limit, next))
        for event in events {
            // Looked up now: an earlier event of this round may have let go of it.
            handlers[event.token]?(event.events)
        }
        runDues()
    }

    private func runDues() {
        let now = Deadline.now
        guard dues.contains(where: { $0.time <= now }) else { return }
        let due = dues.filter { $0.time <= now }.sorted { $0.time < $1.time }
        for item in due {
            // One before it may have cancelled it.
            guard let index = dues.firstIndex(where: { $0.number == item.number }) else { continue }
            dues.remove(at: index)
            item.body()
        }
    }

    /// Milliseconds, rounded up so that nothing is looked at before it is due; -1 for ever.
    private func wait(_ limit: Duration?, _ work: UInt64?) -> Int32 {
        var next = (dues.map(\.time) + [work].compactMap { $0 }).min()
        if let limit {
            let end = Deadline.now &+ UInt64(max(0, limit.components.seconds)) * 1_000_000_000
                &+ UInt64(max(0, limit.components.attoseconds) / 1_000_000_000)
            next = min(next ?? end, end)
        }
        guard let next else { return -1 }
        let now = Deadline.now
        return next <= now ? 0 : Int32(clamping: (next - now + 999_999) / 1_000_000)
    }
}

extension EventLoop {
    /// Has `work` do what there is to do, with the time on the monotonic clock in nanoseconds, before every wait; the
    /// loop wakes when `descriptor` is readable, and at the time that `work` returns.
    func add(_ descriptor: Int32, _ work: @escaping (UInt64) -> UInt64?) throws(Errno) {
        _ = try watch(descriptor, .readable) { _ in }
        workers.append(work)
    }
}
