// SPDX-License-Identifier: Apache-2.0
internal import GuestMemory
internal import Linux
internal import Virtio

/// What the device does while it is active: it looks for kicks, streams and deadlines in an epoll set of its own,
/// and serves them.
final class VsockWork: DeviceWork, @unchecked Sendable {
    // @unchecked: made by one thread, then handed to the loop's, which alone uses it.

    private enum Token {
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
    private let start = ContinuousClock.now

    init(
        guestCID: UInt64, listener socket: BorrowedDescriptor, limits: VsockLimits, memory: GuestMemory,
        receiveQueue: Virtqueue, transmitQueue: Virtqueue, counters: VsockCounters
    ) throws(Errno) {
        poller = try Poller()
        ports = UnixPorts(poller: poller)
        muxer = Muxer(guestCID: guestCID, host: ports, limits: limits, firstToken: Token.last)
        listener = UnixListener(socket: socket, poller: poller, limits: limits)
        pump = QueuePump(
            muxer: muxer, receiveQueue: receiveQueue, transmitQueue: transmitQueue, counters: counters)
        self.receiveQueue = receiveQueue
        self.transmitQueue = transmitQueue
        self.memory = memory
        try poller.watchReadable(transmitQueue.kick.descriptor.borrowed, token: Token.transmitKick)
        try poller.watchReadable(receiveQueue.kick.descriptor.borrowed, token: Token.receiveKick)
        try poller.watch(socket, token: Token.listener)
    }

    var readiness: BorrowedDescriptor { poller.descriptor }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        let time = start.duration(to: now)
        do {
            try poller.poll { event in
                switch event.token {
                case Token.transmitKick: transmitQueue.kick.drain()
                case Token.receiveKick: receiveQueue.kick.drain()
                case Token.listener: listener.knocked()
                default:
                    if !listener.streamChanged(token: event.token, events: event.events, muxer, now: time) {
                        muxer.streamChanged(token: event.token, events: event.events, now: time)
                    }
                }
            }
        } catch {
            throw .activation(operation: "epoll_pwait", errno: error.rawValue)
        }
        muxer.passTime(now: time)
        listener.passTime(now: time)
        listener.accept(muxer, now: time)
        if try pump.pump(now: time) { return now }
        return nextDeadline.map { start + $0 }
    }

    private var nextDeadline: Duration? {
        guard let first = muxer.nextDeadline else { return listener.nextDeadline }
        guard let second = listener.nextDeadline else { return first }
        return min(first, second)
    }
}
