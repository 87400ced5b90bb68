// SPDX-License-Identifier: Apache-2.0
internal import Virtio
public import Linux
internal import Synchronization

/// What a balloon's device and its work share, and what outlives a driver's reset.
public final class BalloonState: Sendable {
    /// Pages wanted, and pages the driver says it has given: the configuration space.
    let target = Atomic<UInt32>(0)
    let actual = Atomic<UInt32>(0)
    /// Signalled when new statistics are wanted.
    let wake: EventFD
    let statistics = Mutex(BalloonStatistics())

    let inflatedPages = Counter()
    let deflatedPages = Counter()
    let reportedBytes = Counter()
    /// Pages given away that the guest does not have.
    let refusedPages = Counter()
    /// Ranges that the host's kernel did not take.
    let failedDiscards = Counter()

    /// A target of 0.
    public init() throws(Errno) { wake = try EventFD() }
}
