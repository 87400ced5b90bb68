// SPDX-License-Identifier: Apache-2.0
import Virtio

/// What passed in one direction.
final class NetCounters: Sendable {
    let frames = Counter()
    let bytes = Counter()
    /// Frames that were thrown away: malformed, too long, or refused by the kernel.
    let drops = Counter()
    /// Times that a frame had to wait for its limit.
    let stalls = Counter()
    /// Times that the other side had no room: the driver no buffers, or the tap no space.
    let waits = Counter()

    func metrics(_ prefix: String) -> [Metric] {
        [
            Metric(prefix + "frames", frames), Metric(prefix + "bytes", bytes), Metric(prefix + "drops", drops),
            Metric(prefix + "limiter_stalls", stalls), Metric(prefix + "waits", waits),
        ]
    }
}
