// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan
public import GuestMemory
public import Linux
public import Virtio

/// Both directions of the device, from activation to reset.
public final class NetWork: DeviceWork, @unchecked Sendable {
    // @unchecked: the loop's thread's, until it is off the loop; others call `wake`, and between its turns `plug` and
    // `unplug`.

    /// What the device waits for: the driver's kicks and the tap.
    final class Events: Sendable {
        let epoll: Epoll
        init() throws(Errno) { epoll = try Epoll() }
    }

    private enum Token {
        static let receiveKick: UInt64 = 0
        static let transmitKick: UInt64 = 1
        static let tap: UInt64 = 2
    }

    private let events: Events
    /// What the guest's driver and the device have agreed on.
    let features: UInt64
    private var tap: Tap?
    private let link: Link
    private let receiver: Receiver
    private let transmitter: Transmitter
    private let receiveQueue: Virtqueue
    private let transmitQueue: Virtqueue
    private let receiveLimits: PendingLimits
    private let transmitLimits: PendingLimits
    /// Held for as long as slices of it are about.
    private let memory: GuestMemory
    private let lost: @Sendable (Errno) -> Void
    /// What the tap is watched for.
    private var interest = NetWork.idle

    struct Limits {
        var receive: RateLimits
        var transmit: RateLimits
        let pendingReceive: PendingLimits
        let pendingTransmit: PendingLimits
    }

    init(
        events: Events, link: Link, memory: GuestMemory, features: UInt64, receiveQueue: Virtqueue,
        transmitQueue: Virtqueue, limits: Limits, received: NetCounters, sent: NetCounters,
        lost: @escaping @Sendable (Errno) -> Void
    ) throws(Errno) {
        self.events = events
        self.features = features
        self.link = link
        self.memory = memory
        self.receiveQueue = receiveQueue
        self.transmitQueue = transmitQueue
        self.lost = lost
        receiveLimits = limits.pendingReceive
        transmitLimits = limits.pendingTransmit
        receiver = Receiver(
            queue: receiveQueue, features: features, limiter: RateLimiter(limits.receive, now: .now),
            counters: received)
        transmitter = Transmitter(
            queue: transmitQueue, limiter: RateLimiter(limits.transmit, now: .now), counters: sent)
        do throws(Errno) {
            try events.epoll.add(receiveQueue.kick.descriptor.borrowed, .readable, token: Token.receiveKick)
            try events.epoll.add(transmitQueue.kick.descriptor.borrowed, .readable, token: Token.transmitKick)
        } catch {
            stopWatching()
            throw error
        }
    }

    /// Frames without a device, for a caller that calls ``work(now:)`` itself.
    public convenience init(
        tap: Tap, memory: GuestMemory, features: UInt64, receiveQueue: Virtqueue, transmitQueue: Virtqueue,
        receive: RateLimits = .unlimited, transmit: RateLimits = .unlimited
    ) throws(Errno) {
        try self.init(
            events: try Events(), link: Link(isUp: true), memory: memory, features: features,
            receiveQueue: receiveQueue, transmitQueue: transmitQueue,
            limits: Limits(
                receive: receive, transmit: transmit, pendingReceive: PendingLimits(),
                pendingTransmit: PendingLimits()),
            received: NetCounters(), sent: NetCounters(), lost: { _ in })
        try plug(tap, mtu: nil)
    }

    /// As ``DeviceWork/readiness``.
    public var readiness: BorrowedDescriptor { events.epoll.borrowed }

    /// Has the loop give this work a turn. Any thread may call it.
    func wake() { receiveQueue.kick.signal() }

    /// As ``DeviceWork/work(now:)``.
    public func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        var mayReceive = takeLimits(receiveLimits, &receiver.limiter, now)
        var mayTransmit = takeLimits(transmitLimits, &transmitter.limiter, now)
        var tapEvents: Epoll.Events = []
        var (receiveKicked, transmitKicked) = (false, false)
        do throws(Errno) {
            try events.epoll.wait(milliseconds: 0) { event in
                switch event.token {
                case Token.receiveKick: receiveKicked = receiveQueue.kick.drain()
                case Token.transmitKick: transmitKicked = transmitQueue.kick.drain()
                default: tapEvents = event.events
                }
            }
        } catch { throw .activation(operation: "epoll_pwait", errno: error.rawValue) }

        if ends(receiver.pause, receiveKicked, tapEvents.contains(.readable), now) { mayReceive = true }
        if ends(transmitter.pause, transmitKicked, tapEvents.contains(.writable), now) { mayTransmit = true }
        // A tap that has lost its interface says nothing but this, whatever it is watched for.
        if !tapEvents.isDisjoint(with: [.error, .hangUp]) { cut(.badFileDescriptor) }
        if mayReceive, link.isUp {
            try receiver.turn(now)
            if case .lost(let error) = receiver.pause { cut(error) }
        }
        if mayTransmit { try transmitter.turn(now) }
        if case .lost(let error) = transmitter.pause {
            cut(error)
            try transmitter.turn(now)
        }
        try watch()
        return earlier(next(receiver.pause, now, isUp: link.isUp), next(transmitter.pause, now, isUp: true))
    }

    /// Lets go of the queues: nothing is under way but what the receiver holds.
    public func finish() {
        receiver.finish()
        stopWatching()
    }

    // MARK: what ends a pause, and when to look again

    private func ends(
        _ pause: Pause, _ isKicked: Bool, _ isTapReady: Bool, _ now: ContinuousClock.Instant
    ) -> Bool {
        switch pause {
        case .turn: true
        case .driver: isKicked
        case .tap: isTapReady
        case .limit(let instant): instant <= now
        case .lost: false
        }
    }

    private func next(_ pause: Pause, _ now: ContinuousClock.Instant, isUp: Bool) -> ContinuousClock.Instant? {
        switch pause {
        case .turn where isUp: now
        case .limit(let instant) where isUp: instant
        default: nil
        }
    }

    private func earlier(
        _ first: ContinuousClock.Instant?, _ second: ContinuousClock.Instant?
    ) -> ContinuousClock.Instant? {
        guard let first else { return second }
        guard let second else { return first }
        return min(first, second)
    }

    private func takeLimits(
        _ pending: PendingLimits, _ limiter: inout RateLimiter, _ now: ContinuousClock.Instant
    ) -> Bool {
        guard let limits = pending.take() else { return false }
        limiter.update(limits, now: now)
        return true
    }

    // MARK: the tap

    /// EPOLLPRI, which a tap never is. Without it the kernel would not look whether a tap has lost its interface.
    private static let idle = Epoll.Events(rawValue: 0x002)

    /// Frames are moved between the queues and `tap` from now on; the link is the caller's to tell. It works on nothing
    /// meanwhile, has no tap, and is to be woken.
    ///
    /// - Throws: what epoll_ctl(2) says.
    func plug(_ tap: Tap, mtu: Int?) throws(Errno) {
        let file = tap.file.borrowed
        try events.epoll.add(file, Self.idle, token: Token.tap)
        interest = Self.idle
        self.tap = tap
        receiver.plug(file, mtu: mtu)
        transmitter.plug(file)
    }

    /// The tap is let go. It works on nothing meanwhile, and is to be woken.
    func unplug() {
        guard let tap = self.tap.take() else { return }
        receiver.unplug()
        transmitter.unplug()
        try? events.epoll.remove(tap.file.borrowed)
    }

    /// Watches the tap for what a direction waits for, and for nothing else: what nobody takes would be told for ever.
    private func watch() throws(VirtioError) {
        guard let tap else { return }
        var wanted = Self.idle
        if case .tap = receiver.pause { wanted.insert(.readable) }
        if case .tap = transmitter.pause { wanted.insert(.writable) }
        if wanted == interest { return }
        do {
            try events.epoll.modify(tap.file.borrowed, wanted, token: Token.tap)
        } catch { throw .activation(operation: "epoll_ctl", errno: error.rawValue) }
        self.interest = wanted
    }

    /// The interface is gone, for good: as a cable pulled out.
    private func cut(_ error: Errno) {
        unplug()
        if link.cut() { lost(error) }
    }

    /// The owner of the queues closes the kicks next: they must not stay behind in the set.
    private func stopWatching() {
        unplug()
        try? events.epoll.remove(receiveQueue.kick.descriptor.borrowed)
        try? events.epoll.remove(transmitQueue.kick.descriptor.borrowed)
    }
}
