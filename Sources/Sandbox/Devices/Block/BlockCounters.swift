// SPDX-License-Identifier: Apache-2.0
import Virtio

/// What the device did.
final class BlockCounters: Sendable {
    let reads = Counter()
    let readBytes = Counter()
    let writes = Counter()
    let writtenBytes = Counter()
    let flushes = Counter()
    /// Discards and write-zeroes.
    let discards = Counter()
    /// Requests that ended with another status than success.
    let failures = Counter()
    /// Times that a request had to wait for its limit.
    let stalls = Counter()

    var metrics: [Metric] {
        [
            Metric("reads", reads), Metric("read_bytes", readBytes), Metric("writes", writes),
            Metric("written_bytes", writtenBytes), Metric("flushes", flushes), Metric("discards", discards),
            Metric("failures", failures), Metric("limiter_stalls", stalls),
        ]
    }
}
