// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// Several requests returned as one: the driver sees all of them or none. What is spread over several chains (a
/// frame in mergeable buffers, virtio 1.2 §5.1.6.4) is returned so.
extension Virtqueue {
    /// Writes the used ring's entry for `head`, `index` places behind what the driver has seen. Not to be seen
    /// before ``publishUsed(_:)``; `index` counts up from 0, and stays below ``size``.
    public func prepareUsed(_ head: UInt16, byteCount: UInt32, at index: UInt16) throws(VirtioError) {
        guard head < size, index < size else { throw .descriptorIndex(head, size: UInt32(size)) }
        let slot = 4 &+ 8 &* Int((nextUsed &+ index) & (size &- 1))
        do {
            try used.store(UInt64(head) | UInt64(byteCount) << 32, at: slot)
        } catch { throw .ring(error) }
    }

    /// Returns the `count` requests that were prepared. Call ``notify()`` afterwards.
    public func publishUsed(_ count: UInt16) throws(VirtioError) {
        nextUsed &+= count
        do {
            try used.storeRelease(nextUsed, at: 2)
        } catch { throw .ring(error) }
    }
}
