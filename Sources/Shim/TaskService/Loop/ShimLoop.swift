// SPDX-License-Identifier: Apache-2.0
import Linux

/// The one loop of the shim: what happens on descriptors, and what is due at a time. All on one thread, so nothing here
/// is locked, and a copy of the process may be forked at any moment.
final class ShimLoop {
    typealias Watch = EventLoop.Watch

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

    private let descriptors: EventLoop
    private var lastNumber: UInt64 = 0
    /// A handful at a time.
    private var dues: [Due] = []
    private var isStopped = false
    /// When ``whenQuiet`` is due; nil where nothing was done since it was called.
    private var quiet: Deadline? = Deadline(after: quietTime)
    /// Called once when nothing has happened for ``quietTime`` after something did.
    var whenQuiet: () -> Void = {}
    static let quietTime = Duration.seconds(2)
    fileprivate var workers: [(ContinuousClock.Instant) -> ContinuousClock.Instant?] = []

    init() throws(Errno) {
        descriptors = try EventLoop()
    }

    /// Calls `body` whenever one of `events` is there on `descriptor`, which stays the caller's and open.
    func watch(
        _ descriptor: BorrowedDescriptor, _ events: Epoll.Events, _ body: @escaping (Epoll.Events) -> Void
    ) throws(Errno) -> Watch {
        try descriptors.watch(descriptor, events, body)
    }

    /// Call before the descriptor is closed.
    func ignore(_ watch: Watch) { descriptors.ignore(watch) }

    /// Calls `body` once, when `delay` has passed.
    @discardableResult
    func after(_ delay: Duration, _ body: @escaping () -> Void) -> Timer {
        lastNumber += 1
        dues.append(Due(number: lastNumber, time: Deadline.now &+ Self.nanoseconds(delay), body: body))
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
        let now = ContinuousClock.now
        let next = workers.compactMap { $0(now) }.min().map { now.duration(to: $0) }
        let left = quiet.map { Duration.nanoseconds($0.nanosecondsLeft) }
        var isBusy = try descriptors.turn(milliseconds: wait([limit, next, left].compactMap { $0 }.min()))
        if runDues() { isBusy = true }
        if isBusy {
            quiet = Deadline(after: Self.quietTime)
        } else if quiet?.hasPassed == true {
            quiet = nil
            whenQuiet()
        }
    }

    private func runDues() -> Bool {
        let now = Deadline.now
        guard dues.contains(where: { $0.time <= now }) else { return false }
        let due = dues.filter { $0.time <= now }.sorted { $0.time < $1.time }
        for item in due {
            // One before it may have cancelled it.
            guard let index = dues.firstIndex(where: { $0.number == item.number }) else { continue }
            dues.remove(at: index)
            item.body()
        }
        return true
    }

    /// Milliseconds, rounded up so that nothing is looked at before it is due; -1 for ever.
    private func wait(_ limit: Duration?) -> Int32 {
        let now = Deadline.now
        var nanoseconds = dues.map { $0.time > now ? $0.time - now : 0 }.min()
        if let limit { nanoseconds = min(nanoseconds ?? .max, Self.nanoseconds(limit)) }
        guard let nanoseconds else { return -1 }
        return Int32(clamping: nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
    }

    /// 0 for what has passed.
    private static func nanoseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ UInt64(attoseconds / 1_000_000_000)
    }
}

extension ShimLoop {
    /// Has `work` do what there is to do before every wait; the loop wakes when `descriptor` is readable, and at the
    /// time that `work` returns.
    func add(
        _ descriptor: BorrowedDescriptor, _ work: @escaping (ContinuousClock.Instant) -> ContinuousClock.Instant?
    ) throws(Errno) {
        _ = try watch(descriptor, .readable) { _ in }
        workers.append(work)
    }
}
