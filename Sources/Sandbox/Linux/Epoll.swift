import CLinux

/// epoll(7), level-triggered unless asked otherwise. `token` is the caller's name for a descriptor.
public struct Epoll: ~Copyable, Sendable {
    public struct Events: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let readable = Events(rawValue: 0x001)
        public static let writable = Events(rawValue: 0x004)
        public static let error = Events(rawValue: 0x008)
        public static let hangUp = Events(rawValue: 0x010)
        public static let peerHangUp = Events(rawValue: 0x2000)
        public static let edgeTriggered = Events(rawValue: 1 << 31)
    }

    public struct Event: Sendable {
        public var token: UInt64
        public var events: Events
    }

    let descriptor: FileDescriptor

    /// The set's own descriptor: readable while something in it is ready, so one set can be watched by another.
    public var rawValue: Int32 { descriptor.rawValue }

    public init() throws(Errno) {
        descriptor = FileDescriptor(owning: Int32(try syscall(__NR_epoll_create1, CL_EFD_CLOEXEC)))
    }

    public borrowing func add(_ number: Int32, _ events: Events, token: UInt64) throws(Errno) {
        try control(1, number, events, token)
    }

    public borrowing func modify(_ number: Int32, _ events: Events, token: UInt64) throws(Errno) {
        try control(3, number, events, token)
    }

    /// Stops watching. Do this before closing a descriptor that was duplicated elsewhere.
    public borrowing func remove(_ number: Int32) throws(Errno) {
        try control(2, number, [], 0)
    }

    borrowing func control(_ operation: Int, _ number: Int32, _ events: Events, _ token: UInt64) throws(Errno) {
        var event = cl_epoll_event(events: events.rawValue, data: token)
        try unsafe withUnsafeMutablePointer(to: &event) { (pointer) throws(Errno) in
            _ = unsafe try syscall(
                __NR_epoll_ctl, Int(descriptor.rawValue), operation, Int(number), pointer.argument)
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
