// SPDX-License-Identifier: Apache-2.0
import CLinux

/// timerfd_create(2), on the clock that is never set back. Not blocking.
public struct Timer: ~Copyable {
    /// Readable when the time has come.
    public let descriptor: FileDescriptor

    /// A timer that is not set.
    public init() throws(Errno) {
        // CLOCK_MONOTONIC.
        descriptor = FileDescriptor(
            owning: Int32(try syscall(__NR_timerfd_create, 1, CL_TFD_CLOEXEC | CL_TFD_NONBLOCK)))
    }

    /// Sets it anew, which also forgets that an earlier time had come; nil: to no time.
    public borrowing func set(nanosecondsFromNow nanoseconds: Int64?) throws(Errno) {
        // struct itimerspec: no repetition, and then when; 0 would be never.
        let wanted = nanoseconds.map { max($0, 1) } ?? 0
        var time: (Int64, Int64, Int64, Int64) = (0, 0, wanted / 1_000_000_000, wanted % 1_000_000_000)
        try unsafe withUnsafePointer(to: &time) { (time) throws(Errno) in
            _ = try unsafe syscall(__NR_timerfd_settime, Int(descriptor.rawValue), 0, time.argument, 0)
        }
    }
}
