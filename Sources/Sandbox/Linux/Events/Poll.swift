// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// poll(2) of one descriptor.
public enum Poll {
    /// What is waited for, and what happened: the bits of poll(2).
    public struct Events: OptionSet, Sendable {
        /// POLL_ bits.
        public let rawValue: Int16
        /// The events with these bits.
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// POLLIN.
        public static let readable = Events(rawValue: 0x001)
        /// POLLPRI: a condition that the kind of file defines.
        public static let priority = Events(rawValue: 0x002)
        /// POLLOUT.
        public static let writable = Events(rawValue: 0x004)
        /// POLLERR; told without being asked for.
        public static let error = Events(rawValue: 0x008)
        /// POLLHUP; told without being asked for.
        public static let hangUp = Events(rawValue: 0x010)
    }

    /// Waits for `events` on `descriptor`, until `deadline` (nil: for ever).
    ///
    /// - Returns: what happened; empty when the time is up.
    public static func wait(
        _ descriptor: BorrowedDescriptor, _ events: Events, until deadline: Deadline?
    ) throws(Errno) -> Events {
        while true {
            var entry = pollfd(fd: descriptor.rawValue, events: events.rawValue, revents: 0)
            var time = timespec()
            if let deadline {
                let left = deadline.nanosecondsLeft
                time.tv_sec = Int(left / 1_000_000_000)
                time.tv_nsec = Int(left % 1_000_000_000)
            }
            let result = unsafe withUnsafeMutablePointer(to: &entry) { entry in
                unsafe withUnsafePointer(to: &time) { time in
                    cl_syscall(
                        Int(__NR_ppoll), unsafe entry.argument, 1, deadline == nil ? 0 : unsafe time.argument, 0, 8, 0)
                }
            }
            if result >= 0 { return Events(rawValue: entry.revents) }
            let error = Errno(rawValue: Int32(-result))
            if error != .interrupted { throw error }
        }
    }
}

/// A moment on the monotonic clock by which something must have happened.
public struct Deadline: Hashable, Sendable {
    private let nanoseconds: UInt64

    /// `duration` from now.
    public init(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let length = seconds < 0 ? 0 : UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
        nanoseconds = Self.now &+ length
    }

    /// 0 once it has passed.
    public var nanosecondsLeft: UInt64 {
        let now = Self.now
        return now >= nanoseconds ? 0 : nanoseconds - now
    }

    /// Nothing is left of the time.
    public var hasPassed: Bool { nanosecondsLeft == 0 }

    /// The monotonic clock, nanoseconds since some moment in the past.
    public static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
