// SPDX-License-Identifier: Apache-2.0
import CLinux

/// clock_gettime(2) and nanosleep(2).
public enum SystemTime {
    /// Time since 1970 (UTC).
    public static func realtime() -> (seconds: Int64, nanoseconds: Int64) { read(0) }

    /// Nanoseconds on a clock that is never set back.
    public static func monotonicNanoseconds() -> Int64 {
        let time = read(1)
        return time.seconds * 1_000_000_000 + time.nanoseconds
    }

    /// Waits for about this long; a signal ends it early.
    public static func sleep(milliseconds: Int64) {
        var time: (Int64, Int64) = (milliseconds / 1000, milliseconds % 1000 * 1_000_000)
        unsafe withUnsafePointer(to: &time) { pointer in
            _ = unsafe cl_syscall(Int(__NR_nanosleep), pointer.argument, 0, 0, 0, 0, 0)
        }
    }

    private static func read(_ clock: Int) -> (seconds: Int64, nanoseconds: Int64) {
        var time: (Int64, Int64) = (0, 0)
        // Cannot fail for these clocks; the kernel writes both words.
        unsafe withUnsafeMutablePointer(to: &time) { pointer in
            _ = unsafe cl_syscall(Int(__NR_clock_gettime), clock, pointer.argument, 0, 0, 0, 0)
        }
        return time
    }
}
