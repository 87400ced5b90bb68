import Linux

/// The one thread's loop: who waits for which descriptor.
final class EventLoop {
    private let epoll: Epoll
    private var actions: [UInt64: (Epoll.Events) -> Void] = [:]
    private var lastToken: UInt64 = 0

    /// Something watched, until it is given to ``stop(_:)``.
    struct Watch {
        fileprivate let token: UInt64
        fileprivate let descriptor: Int32
    }

    init() throws(Errno) {
        epoll = try Epoll()
    }

    /// Calls `action` whenever one of `events` holds for `descriptor`, which must stay open meanwhile.
    func watch(
        _ descriptor: Int32, _ events: Epoll.Events, _ action: @escaping (Epoll.Events) -> Void
    ) throws(Errno) -> Watch {
        lastToken += 1
        try epoll.add(descriptor, events, token: lastToken)
        actions[lastToken] = action
        return Watch(token: lastToken, descriptor: descriptor)
    }

    func change(_ watch: Watch, to events: Epoll.Events) throws(Errno) {
        try epoll.modify(watch.descriptor, events, token: watch.token)
    }

    /// Stops watching; events that have been collected already are dropped. Call before closing.
    func stop(_ watch: Watch) {
        guard actions.removeValue(forKey: watch.token) != nil else { return }
        try? epoll.remove(watch.descriptor)
    }

    /// Waits for something to happen, at most `milliseconds` (-1: for ever), and does it.
    func turn(milliseconds: Int32 = -1) throws(Errno) {
        for event in try epoll.wait(milliseconds: milliseconds) {
            actions[event.token]?(event.events)
        }
    }
}
