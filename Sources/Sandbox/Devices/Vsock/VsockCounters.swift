// SPDX-License-Identifier: Apache-2.0
public import Virtio

/// What went through the device since the monitor began, however often the driver reset it.
public final class VsockCounters: Metered, Sendable {
    /// Packets, and the bytes of streams in them.
    let packetsFromGuest = Counter()
    let bytesFromGuest = Counter()
    let packetsToGuest = Counter()
    let bytesToGuest = Counter()
    /// Connections there are, in whatever state.
    let connections = Counter()

    /// All at 0.
    public init() {}

    /// As ``Metered/metrics``.
    public var metrics: [Metric] {
        [
            Metric("packets_from_guest", packetsFromGuest), Metric("bytes_from_guest", bytesFromGuest),
            Metric("packets_to_guest", packetsToGuest), Metric("bytes_to_guest", bytesToGuest),
            Metric("connections", connections),
        ]
    }
}
