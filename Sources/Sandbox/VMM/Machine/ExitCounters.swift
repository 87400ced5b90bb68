// SPDX-License-Identifier: Apache-2.0
import Virtio

/// Why one virtual processor stopped, how often; written by its own thread.
final class ExitCounters: Metered {
    let portReads = Counter()
    let portWrites = Counter()
    let memoryReads = Counter()
    let memoryWrites = Counter()
    let halts = Counter()
    let interruptions = Counter()
    /// Accesses to what is not there.
    let lostAccesses = Counter()

    var metrics: [Metric] {
        [
            Metric("port_reads", portReads), Metric("port_writes", portWrites), Metric("mmio_reads", memoryReads),
            Metric("mmio_writes", memoryWrites), Metric("halts", halts), Metric("interruptions", interruptions),
            Metric("lost_accesses", lostAccesses),
        ]
    }
}

/// How much reaching for nothing is put up with. A kernel probes for hardware a few hundred times; one that goes on
/// for ever costs the host an exit each time and gets nowhere.
enum LostAccesses {
    static let limit: UInt64 = 1_000_000
}
