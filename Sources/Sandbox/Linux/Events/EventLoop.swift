// SPDX-License-Identifier: Apache-2.0
/// The loop of a program that has one thread: which action waits for which descriptor, epoll(7). Each event looks up what is to
/// be done, so this is nothing for what a guest's requests go through.
public final class EventLoop {
    private let epoll: Epoll
    private var actions: [UInt64: (Epoll.Events) -> Void] = [:]
    private var lastToken: UInt64 = 0

    /// A descriptor that is watched, until it is given to ``EventLoop/ignore(_:)``.
    public struct Watch: Hashable, Sendable {
        fileprivate let token: UInt64
        fileprivate let descriptor: BorrowedDescriptor
    }

    /// A loop that watches nothing yet.
    public init() throws(Errno) {
        epoll = try Epoll()
    }

    /// Calls `action` whenever one of `events` holds for `descriptor`, which stays the caller's and open.
    public func watch(
        _ descriptor: BorrowedDescriptor, _ events: Epoll.Events, _ action: @escaping (Epoll.Events) -> Void
    ) throws(Errno) -> Watch {
        lastToken += 1
        try epoll.add(descriptor, events, token: lastToken)
        actions[lastToken] = action
        return Watch(token: lastToken, descriptor: descriptor)
    }

    /// Waits for other events from now on.
    public func change(_ watch: Watch, to events: Epoll.Events) throws(Errno) {
        try epoll.modify(watch.descriptor, events, token: watch.token)
    }

    /// Stops watching; events that have been collected already are dropped. Call before closing.
    public func ignore(_ watch: Watch) {
        guard actions.removeValue(forKey: watch.token) != nil else { return }
        try? epoll.remove(watch.descriptor)
    }

    /// Waits for something to happen, at most `milliseconds` (-1: for ever), and does it.
    ///
    /// - Returns: whether something happened.
    @discardableResult
    public func turn(milliseconds: Int32 = -1) throws(Errno) -> Bool {
        let events = try epoll.wait(milliseconds: milliseconds)
        for event in events {
            // Looked up now: an earlier event of this round may have let go of it.
            actions[event.token]?(event.events)
        }
        return !events.isEmpty
    }
}
