// SPDX-License-Identifier: Apache-2.0
import CLinux

/// epoll(7), level-triggered unless asked otherwise. `token` is the caller's name for a descriptor.
public struct Epoll: ~Copyable, Sendable {
    /// What is waited for, and what happened: the bits of epoll_ctl(2).
    public struct Events: OptionSet, Sendable {
        /// EPOLL bits.
        public let rawValue: UInt32
        /// The events with these bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// EPOLLIN.
        public static let readable = Events(rawValue: 0x001)
        /// Priority: for /proc/PID/mountinfo, mounts have come or gone.
        public static let urgent = Events(rawValue: 0x002)
        /// EPOLLOUT.
        public static let writable = Events(rawValue: 0x004)
        /// EPOLLERR; told without being asked for.
        public static let error = Events(rawValue: 0x008)
        /// EPOLLHUP; told without being asked for.
        public static let hangUp = Events(rawValue: 0x010)
        /// EPOLLRDHUP: the peer of a stream socket writes no more.
        public static let peerHangUp = Events(rawValue: 0x2000)
        /// EPOLLET: told once when it begins to hold.
        public static let edgeTriggered = Events(rawValue: 1 << 31)
    }

    /// Something that happened to a descriptor of the set.
    public struct Event: Sendable {
        /// The name that the descriptor was added by.
        public var token: UInt64
        /// What happened.
        public var events: Events
    }

    let descriptor: FileDescriptor

    /// The set's own descriptor: readable while something in it is ready, so one set can be watched by another.
    public var borrowed: BorrowedDescriptor { descriptor.borrowed }

    /// A set with nothing in it, close-on-exec.
    public init() throws(Errno) {
        descriptor = FileDescriptor(owning: Int32(try syscall(__NR_epoll_create1, CL_EFD_CLOEXEC)))
    }

    /// Starts to watch `file`, which is not in the set yet.
    public borrowing func add(_ file: BorrowedDescriptor, _ events: Events, token: UInt64) throws(Errno) {
        try control(1, file, events, token)
    }

    /// Waits for other events of `file`, and names it anew.
    public borrowing func modify(_ file: BorrowedDescriptor, _ events: Events, token: UInt64) throws(Errno) {
        try control(3, file, events, token)
    }

    /// Stops watching. Do this before closing a descriptor that was duplicated elsewhere.
    public borrowing func remove(_ file: BorrowedDescriptor) throws(Errno) {
        try control(2, file, [], 0)
    }

    borrowing func control(
        _ operation: Int, _ file: BorrowedDescriptor, _ events: Events, _ token: UInt64
    ) throws(Errno) {
        var event = cl_epoll_event(events: events.rawValue, data: token)
        try unsafe withUnsafeMutablePointer(to: &event) { (pointer) throws(Errno) in
            _ = unsafe try syscall(
                __NR_epoll_ctl, Int(descriptor.rawValue), operation, file.argument, pointer.argument)
        }
    }

    /// Waits for something to happen, at most `milliseconds` (-1: for ever), and returns at most
    /// `limit` events; none when the time is up. `EINTR` counts as nothing having happened.
    public borrowing func wait(milliseconds: Int32 = -1, limit: Int = 32) throws(Errno) -> [Event] {
        try unsafe withUnsafeTemporaryAllocation(of: cl_epoll_event.self, capacity: limit) { (buffer) throws(Errno) in
            let count = cl_syscall(
                Int(__NR_epoll_pwait), Int(descriptor.rawValue), Int(bitPattern: buffer.baseAddress), limit,
                Int(milliseconds), 0, 8)
            if count < 0 {
                let error = Errno(rawValue: Int32(-count))
                if error == .interrupted { return [] }
                throw error
            }
            var events: [Event] = []
            events.reserveCapacity(count)
            for index in 0..<count {
                let event = unsafe buffer[index]
                events.append(Event(token: event.data, events: Events(rawValue: event.events)))
            }
            return events
        }
    }

    /// As ``wait(milliseconds:limit:)``, handing each event to `body`, at most 64 of them: nothing is allocated.
    public borrowing func wait(milliseconds: Int32 = -1, _ body: (Event) -> Void) throws(Errno) {
        // A size known here, and small: it lies on the stack.
        try unsafe withUnsafeTemporaryAllocation(of: cl_epoll_event.self, capacity: 64) { (buffer) throws(Errno) in
            let count = cl_syscall(
                Int(__NR_epoll_pwait), Int(descriptor.rawValue), Int(bitPattern: buffer.baseAddress), 64,
                Int(milliseconds), 0, 8)
            if count < 0 {
                let error = Errno(rawValue: Int32(-count))
                if error == .interrupted { return }
                throw error
            }
            for index in 0..<count {
                let event = unsafe buffer[index]
                body(Event(token: event.data, events: Events(rawValue: event.events)))
            }
        }
    }
}
