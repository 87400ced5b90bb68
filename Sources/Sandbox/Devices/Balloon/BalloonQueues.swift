// SPDX-License-Identifier: Apache-2.0
public import Virtio

/// The virtqueues of a balloon by what they are for, virtio 1.2 §5.5.2.
///
/// The standard numbers them from 0 to 4, with a gap where a feature was not agreed on; Linux counts on without a
/// gap. So the reports of free pages are expected wherever either puts them.
public struct BalloonQueues {
    let inflate: Virtqueue
    let deflate: Virtqueue
    let statistics: Virtqueue?
    let reporting: [Virtqueue]

    /// By the features agreed on, virtio 1.2 §5.5.2. Throws `.queueMissing` without the two that are always there.
    public init(_ queues: [Virtqueue?], features: UInt64) throws(VirtioError) {
        guard queues.count >= 1, let inflate = queues[0] else { throw .queueMissing(0) }
        guard queues.count >= 2, let deflate = queues[1] else { throw .queueMissing(1) }
        self.inflate = inflate
        self.deflate = deflate
        var rest = queues.dropFirst(2)
        statistics = features & BalloonFeature.statistics != 0 ? rest.popFirst() ?? nil : nil
        reporting = features & BalloonFeature.pageReporting != 0 ? rest.compactMap { $0 } : []
    }

    var all: [Virtqueue] { [inflate, deflate] + [statistics].compactMap { $0 } + reporting }
}
