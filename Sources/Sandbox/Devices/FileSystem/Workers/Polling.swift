// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How long the listener looks for the next request before it sleeps, learned from how the last ones came.
///
/// Waking up costs more than most requests do, so where they come one right after another it pays to look on
/// for a moment. A few looks in vain, and none are made for a while: a slow guest costs nothing.
struct Polling {
    /// The longest look, in nanoseconds.
    static let limit: Int64 = 32_000
    /// A sleep shorter than this might as well have been a look.
    private static let shortSleep: Int64 = 100_000
    /// Looks in vain in a row that end them, and the sleeps until they are tried again.
    private static let patience = 3
    private static let rest = 500

    /// How long to look now; 0: not at all.
    private(set) var duration: Int64 = 0
    private var misses = 0
    private var resting = 0

    mutating func found() { misses = 0 }

    mutating func missed() {
        misses += 1
        if misses < Self.patience { return }
        misses = 0
        duration = 0
        resting = Self.rest
    }

    /// The listener slept for so many nanoseconds.
    mutating func slept(_ nanoseconds: Int64) {
        if resting > 0 {
            resting -= 1
        } else {
            duration = nanoseconds < Self.shortSleep ? Self.limit : 0
        }
    }

    /// Nanoseconds since the machine's start, CLOCK_MONOTONIC.
    static func now() -> Int64 {
        var time = timespec()
        // clock_gettime(2) fills the structure and keeps nothing.
        return unsafe clock_gettime(CLOCK_MONOTONIC, &time) == 0
            ? Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) : 0
    }
}
