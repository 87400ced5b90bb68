// SPDX-License-Identifier: Apache-2.0
internal import GuestMemory
public import Virtio

/// Moves packets between a muxer and the two virtqueues that matter; the event queue (2) is never used, as the
/// guest does not migrate.
public final class QueuePump {
    private let muxer: Muxer
    private let receiveQueue: Virtqueue
    private let transmitQueue: Virtqueue
    private let counters: VsockCounters

    /// The chains one turn takes from a queue, so that the rest of the thread's work is not kept waiting.
    private static let turn = 64

    /// Both queues are the pump's from here on; the counters may be shared by several of them, one after the other.
    public init(
        muxer: Muxer, receiveQueue: Virtqueue, transmitQueue: Virtqueue, counters: VsockCounters = VsockCounters()
    ) {
        self.muxer = muxer
        self.receiveQueue = receiveQueue
        self.transmitQueue = transmitQueue
        self.counters = counters
    }

    /// Moves what can be moved in one turn.
    ///
    /// - Returns: whether there is more to do at once. If not, the queues' kicks tell when there is.
    public func pump(now: Duration) throws(VirtioError) -> Bool {
        let mayTakeMore = try takePackets(now)
        let mayGiveMore = try givePackets(now)
        counters.connections.set(UInt64(muxer.connectionCount))
        // Packets may have been left alone only for want of room for the answers.
        return mayTakeMore || mayGiveMore || (stoppedForCongestion && !muxer.isCongested)
    }

    private var stoppedForCongestion = false

    /// From the guest, virtio 1.2 §5.10.6.4.
    private func takePackets(_ now: Duration) throws(VirtioError) -> Bool {
        transmitQueue.disableKicks()
        var taken = 0
        defer {
            if taken > 0 {
                transmitQueue.notify()
                counters.packetsFromGuest.add(UInt64(taken))
            }
        }
        while taken < Self.turn {
            stoppedForCongestion = muxer.isCongested
            if stoppedForCongestion { return false }
            guard let chain = try transmitQueue.next() else {
                if transmitQueue.enableKicks() { continue }
                return false
            }
            take(chain, now)
            try transmitQueue.complete(chain.head, byteCount: 0)
            taken += 1
        }
        return true
    }

    private func take(_ chain: DescriptorChain, _ now: Duration) {
        // Without a header there is no sender to answer.
        guard let packet = PacketHeader(in: chain.readable) else { return }
        let room = chain.readableCount - PacketHeader.byteCount
        guard Int(packet.payloadCount) <= room else { return muxer.refuseMalformed(packet) }
        let payload =
            packet.payloadCount == 0
            ? [] : chain.readable.part(from: PacketHeader.byteCount, byteCount: Int(packet.payloadCount))
        counters.bytesFromGuest.add(UInt64(packet.payloadCount))
        muxer.receive(packet, payload: payload, now: now)
    }

    /// To the guest, virtio 1.2 §5.10.6.5.
    private func givePackets(_ now: Duration) throws(VirtioError) -> Bool {
        guard muxer.hasPackets else { return false }
        receiveQueue.disableKicks()
        var given = 0
        var byteCount = 0
        defer {
            if given > 0 {
                receiveQueue.notify()
                counters.packetsToGuest.add(UInt64(given))
                counters.bytesToGuest.add(UInt64(byteCount))
            }
        }
        while given < Self.turn, muxer.hasPackets {
            guard let chain = try receiveQueue.next() else {
                // The guest has no buffer for it: it kicks when it has.
                if receiveQueue.enableKicks() { continue }
                return false
            }
            guard chain.writableCount > PacketHeader.byteCount else { throw .chainTooShort(head: chain.head) }
            let written: Int?
            do {
                written = try muxer.nextPacket(into: chain.writable, now: now)
            } catch {
                throw .buffer(head: chain.head, error)
            }
            guard let written else {
                receiveQueue.rewind()
                return false
            }
            try receiveQueue.complete(chain.head, byteCount: UInt32(written))
            given += 1
            byteCount += written - PacketHeader.byteCount
        }
        return muxer.hasPackets
    }
}
