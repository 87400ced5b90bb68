internal import GuestMemory
internal import Linux
internal import Virtio

/// What a device's thread runs: waits for kicks, streams and deadlines, and serves them, until it is stopped.
final class EventLoop: @unchecked Sendable {
    // @unchecked: made by one thread, then handed to its own, which alone uses it.

    private enum Token {
        static let stop: UInt64 = 0
        static let transmitKick: UInt64 = 1
        static let receiveKick: UInt64 = 2
        static let listener: UInt64 = 3
        static let last: UInt64 = 15
    }

    private let poller: Poller
    private let ports: UnixPorts
    private let listener: UnixListener
    private let muxer: Muxer
    private let pump: QueuePump
    private let receiveQueue: Virtqueue
    private let transmitQueue: Virtqueue
    /// Held for as long as slices of it are about.
    private let memory: GuestMemory
    private let stop: StopSignal
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant

    init(
        guestCID: UInt64, listener socket: Int32, limits: VsockLimits, memory: GuestMemory,
        receiveQueue: Virtqueue, transmitQueue: Virtqueue, stop: StopSignal
    ) throws(Errno) {
        start = clock.now
        poller = try Poller()
        ports = UnixPorts(poller: poller)
        muxer = Muxer(guestCID: guestCID, host: ports, limits: limits, firstToken: Token.last)
        listener = UnixListener(socket: socket, poller: poller, limits: limits)
        pump = QueuePump(muxer: muxer, receiveQueue: receiveQueue, transmitQueue: transmitQueue)
        self.receiveQueue = receiveQueue
        self.transmitQueue = transmitQueue
        self.memory = memory
        self.stop = stop
        try poller.watchReadable(stop.event.descriptor.rawValue, token: Token.stop)
        try poller.watchReadable(transmitQueue.kick.descriptor.rawValue, token: Token.transmitKick)
        try poller.watchReadable(receiveQueue.kick.descriptor.rawValue, token: Token.receiveKick)
        try poller.watch(socket, token: Token.listener)
    }

    /// Serves the guest until stopped, or until the driver breaks the device.
    func run() throws(VirtioError) {
        // The driver may have filled its queues before anybody listened.
        var hasMore = true
        while true {
            let events: [Epoll.Event]
            do {
                events = try poller.wait(until: hasMore ? .zero : nextDeadline, now: now)
            } catch {
                throw .activation(operation: "epoll_pwait", errno: error.rawValue)
            }
            let now = now
            for event in events {
                switch event.token {
                case Token.stop: return
                case Token.transmitKick: transmitQueue.kick.drain()
                case Token.receiveKick: receiveQueue.kick.drain()
                case Token.listener: listener.knocked()
                default:
                    if !listener.streamChanged(token: event.token, events: event.events, muxer, now: now) {
                        muxer.streamChanged(token: event.token, events: event.events, now: now)
                    }
                }
            }
            muxer.passTime(now: now)
            listener.passTime(now: now)
            listener.accept(muxer, now: now)
            hasMore = try pump.pump(now: now)
        }
    }

    private var now: Duration { start.duration(to: clock.now) }

    private var nextDeadline: Duration? {
        guard let first = muxer.nextDeadline else { return listener.nextDeadline }
        guard let second = listener.nextDeadline else { return first }
        return min(first, second)
    }
}

/// Tells a thread to end.
final class StopSignal: Sendable {
    let event: EventFD

    init() throws(Errno) {
        event = try EventFD()
    }
}
