// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux
internal import Synchronization

/// The one thread that serves the devices of a machine: it waits for what any of them waits for, and gives each
/// a turn.
///
/// Works come and go while it runs, as drivers start and reset their devices on the threads of virtual processors.
public final class DeviceLoop: @unchecked Sendable {
    // @unchecked: the members are behind a lock, and what a member keeps for the loop's thread says so.

    private final class Member: @unchecked Sendable {
        /// Until it is off the loop, which then holds nothing of it. Used under `turn`.
        var work: (any DeviceWork)?
        let identifier: ObjectIdentifier
        let onFailure: @Sendable (VirtioError) -> Void
        let token: UInt64
        let readiness: BorrowedDescriptor
        /// Held while the work works.
        let turn = Mutex<Void>(())
        let isOff = Atomic<Bool>(false)
        /// Whether it is its turn: at the beginning, when it was ready, when it asked for another at once. The loop's
        /// thread alone uses this and the deadline.
        var isReady = true
        var deadline: ContinuousClock.Instant?

        init(_ work: any DeviceWork, token: UInt64, onFailure: @escaping @Sendable (VirtioError) -> Void) {
            self.work = work
            identifier = ObjectIdentifier(work)
            self.token = token
            self.onFailure = onFailure
            readiness = work.readiness
        }
    }

    private struct Table {
        var members: [Member] = []
        /// Never given twice: an event of a member that has gone reaches no other.
        var lastToken = DeviceLoop.wakeToken
    }

    private static let wakeToken: UInt64 = 0

    private let table = Mutex(Table())
    private let epoll: Epoll
    private let wake: EventFD
    private let isStopping = Atomic<Bool>(false)
    /// The thread in ``run()``, 0 while there is none.
    private let runner = Atomic<UInt>(0)
    private let clock = ContinuousClock()
    /// Whose turn it is. The loop's thread alone uses this.
    private var serving: ObjectIdentifier?

    /// Without any works. It serves from ``run()`` on.
    public init() throws(Errno) {
        let epoll = try Epoll()
        let wake = try EventFD()
        try epoll.add(wake.descriptor.borrowed, .readable, token: Self.wakeToken)
        self.epoll = epoll
        self.wake = wake
    }

    /// Takes `work` on: it gets a first turn soon, and then whenever it is ready. Any thread may call this, before
    /// and while the loop runs.
    ///
    /// - Parameter onFailure: called once on the loop's thread, with the work off the loop, when it threw.
    /// - Throws: what epoll_ctl(2) says of the readiness: `EEXIST` where a work on the loop has it already.
    public func add(
        _ work: any DeviceWork, onFailure: @escaping @Sendable (VirtioError) -> Void
    ) throws(Errno) {
        let token = table.withLock { table in
            table.lastToken += 1
            return table.lastToken
        }
        let member = Member(work, token: token, onFailure: onFailure)
        table.withLock { $0.members.append(member) }
        do {
            try epoll.add(member.readiness, .readable, token: token)
        } catch {
            // Not watched: another work on this descriptor is not affected.
            member.isOff.store(true, ordering: .releasing)
            table.withLock { $0.members.removeAll { $0 === member } }
            throw error
        }
        wake.signal()
    }

    /// Takes `work` off. When this returns it does not work any more, and the loop holds nothing of it; only where
    /// the work itself calls, that is so at the end of its turn. A work that is not there is no error.
    public func remove(_ work: any DeviceWork) {
        let identifier = ObjectIdentifier(work)
        guard let member = table.withLock({ $0.members.first { $0.identifier == identifier } }) else { return }
        takeOff(member)
        // From within its own turn: that lets go of it at its end.
        if runner.load(ordering: .acquiring) == pthread_self(), serving == identifier { return }
        member.turn.withLock { _ in member.work = nil }
    }

    /// Calls `body` while `work` does not work, which then may go on. Not to be called in a turn of that work itself. A work
    /// that is not on the loop does not work at all, and `body` is called.
    public func betweenTurns<Failure>(
        of work: any DeviceWork, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        let identifier = ObjectIdentifier(work)
        guard let member = table.withLock({ $0.members.first { $0.identifier == identifier } }) else {
            return try body()
        }
        try member.turn.withLock { (_) throws(Failure) in try body() }
    }

    /// Serves until ``stop()``, on the calling thread, of which there is one.
    ///
    /// - Throws: what epoll_wait(2) refused, which it has no reason to.
    public func run() throws(Errno) {
        runner.store(pthread_self(), ordering: .releasing)
        defer { runner.store(0, ordering: .releasing) }
        while !isStopping.load(ordering: .acquiring) {
            // The array is shared, not copied; works that come or go meanwhile do not change it.
            let members = table.withLock { $0.members }
            try epoll.wait(milliseconds: timeout(members)) { event in
                if event.token == Self.wakeToken {
                    wake.drain()
                } else {
                    // Few devices: looking through them costs less than any table.
                    members.first { $0.token == event.token }?.isReady = true
                }
            }
            let now = clock.now
            for member in members {
                if let deadline = member.deadline, deadline <= now { member.isReady = true }
                if member.isReady { serve(member, now) }
            }
        }
    }

    /// Ends ``run()`` after the turn that it is at, for good. Any thread may call it.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        wake.signal()
    }

    private func serve(_ member: Member, _ now: ContinuousClock.Instant) {
        member.isReady = false
        member.deadline = nil
        serving = member.identifier
        let failure = member.turn.withLock { (_) -> VirtioError? in
            guard let work = member.work, !member.isOff.load(ordering: .acquiring) else { return nil }
            defer { if member.isOff.load(ordering: .acquiring) { member.work = nil } }
            do throws(VirtioError) {
                guard let next = try work.work(now: now) else { return nil }
                if next <= now { member.isReady = true } else { member.deadline = next }
                return nil
            } catch {
                // If it was taken off meanwhile, its failure is not reported.
                guard takeOff(member) else { return nil }
                return error
            }
        }
        serving = nil
        // Outside its turn: the handler may reset the device, or wait for a thread that does.
        if let failure { member.onFailure(failure) }
    }

    /// - Returns: whether this call, and none before, took it off.
    @discardableResult
    private func takeOff(_ member: Member) -> Bool {
        if member.isOff.exchange(true, ordering: .acquiringAndReleasing) { return false }
        table.withLock { $0.members.removeAll { $0 === member } }
        // It is watched, so this cannot fail.
        try? epoll.remove(member.readiness)
        return true
    }

    /// How long nothing is due, for epoll_wait(2).
    private func timeout(_ members: [Member]) -> Int32 {
        var first: ContinuousClock.Instant?
        for member in members {
            if member.isReady { return 0 }
            if let deadline = member.deadline, deadline < first ?? deadline + .seconds(1) { first = deadline }
        }
        guard let first else { return -1 }
        let left = max(.zero, min(clock.now.duration(to: first), .seconds(3600))).components
        // Rounded up, so that the deadline has passed when the wait is over.
        return Int32(left.seconds * 1000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
