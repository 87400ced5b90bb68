// SPDX-License-Identifier: Apache-2.0
import Linux

/// Why a direction stands still.
enum Pause {
    /// It had its turn, and there is more to do.
    case turn
    /// For the driver: frames to send, or buffers for those that come.
    case driver
    /// For the tap: a frame, or space.
    case tap
    /// For the limit.
    case limit(ContinuousClock.Instant)
    /// The interface is gone.
    case lost(Errno)
}
