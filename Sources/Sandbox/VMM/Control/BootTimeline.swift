// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Synchronization

/// When each stage of a machine's start was reached.
final class BootTimeline: Sendable {
    struct Mark: Equatable {
        var stage: String
        /// Microseconds since the program began.
        var wall: UInt64
        /// Microseconds of processor time of the whole program by then.
        var processor: UInt64
    }

    private let marks = Mutex<[Mark]>([])
    private let beginning = ContinuousClock.now
    /// A guest may say that its init has begun as often as it likes: the first time counts.
    private let initHasBegun = Atomic(false)

    var all: [Mark] { marks.withLock { $0 } }

    func mark(_ stage: String) {
        let wall = beginning.duration(to: .now).microseconds
        let mark = Mark(stage: stage, wall: wall, processor: Self.processorTime)
        marks.withLock { $0.append(mark) }
    }

    func markInit() {
        if !initHasBegun.exchange(true, ordering: .relaxed) { mark("init") }
    }

    private static var processorTime: UInt64 {
        var time = timespec()
        // clock_gettime(2) fills the structure and keeps nothing.
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }
}

extension Duration {
    /// Whole microseconds; 0 of what is negative.
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
    }
}
