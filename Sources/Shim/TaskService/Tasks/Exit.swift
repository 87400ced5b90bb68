// SPDX-License-Identifier: Apache-2.0
import Linux

/// How and when a process ended, as containerd hears it.
struct Exit: Hashable {
    /// 0 to 255: the exit code, or 128 and the signal's number.
    let status: UInt32
    /// Since 1970.
    let seconds: Int64
    let nanoseconds: Int32

    init(status: UInt32, seconds: Int64, nanoseconds: Int32) {
        self.status = status
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Ended now.
    init(now status: UInt32) {
        let time = SystemTime.realtime()
        self.init(status: status, seconds: time.seconds, nanoseconds: Int32(truncatingIfNeeded: time.nanoseconds))
    }

    /// The status of a process that ran when its shim, or its machine, went: SIGKILL's.
    static let killedStatus: UInt32 = 137
}
