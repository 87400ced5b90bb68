// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import GuestMemory
import Linux
import Net
import Virtio

// The input is a program for both sides of a network device: what the guest's driver puts in its queues, and which
// frames its peer sends. Held against it: no trap, no chain returned twice, no frame longer than its buffers, and a
// device that rests when there is nothing to do.

extension Ring {
    /// What the device says it wrote is no more than what any buffer here holds.
    func check(from: UInt16, to: UInt16) throws {
        var index = from
        while index != to {
            let byteCount: UInt32 = try all.load(at: 8192 + 8 + 8 * Int(index % Ring.size))
            hold(UInt64(byteCount) <= 64 * Guest.memoryByteCount, "more written than there is")
            index &+= 1
        }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data else { return 0 }
    do { try play(Input(bytes: UnsafeRawBufferPointer(start: data, count: byteCount)[...])) } catch {}
    return 0
}

private func play(_ input: Input) throws {
    var input = input
    let shape = input.byte()
    let pair = try UnixSocket.pair(type: .datagram)
    let peer = try pair.first.duplicate()
    try peer.setNonBlocking(true)
    let features: UInt64 =
        VirtioFeature.version1 | (shape & 1 != 0 ? VirtioFeature.eventIndex | VirtioFeature.indirectDescriptors : 0)
        | (shape & 2 != 0 ? NetFeature.mergeableBuffers : 0)
        | (shape & 4 != 0 ? NetFeature.guestChecksum | NetFeature.guestTCP4 : 0)
    let limits =
        shape & 8 == 0
        ? RateLimits.unlimited
        : RateLimits(
            bandwidth: RateLimit(size: 4096, burst: 512, refill: .milliseconds(100)),
            operations: RateLimit(size: 8, refill: .milliseconds(50)))
    var receive = try Ring(0)
    var transmit = try Ring(1)
    let receiveQueue = try receive.queue(features: features)
    let transmitQueue = try transmit.queue(features: features)
    let work = try NetWork(
        tap: try Tap(packetSocket: try pair.second.duplicate()), memory: Guest.memory, features: features,
        receiveQueue: receiveQueue, transmitQueue: transmitQueue, receive: limits, transmit: limits)
    var now = ContinuousClock.now
    var received: UInt16 = 0
    var scratch = [UInt8](repeating: 0, count: 70000)
    var steps = 0
    while !input.isEmpty, steps < 500 {
        steps += 1
        switch input.byte() % 8 {
        case 0, 1:
            // A frame of the driver's, in one or two pieces.
            let slot = UInt16(input.byte() & 31)
            let start = 65536 + UInt64(slot) * 2048
            let count = UInt32(input.word())
            if count & 1 == 0 {
                try transmit.describe(2 * slot, start, count, 0, 0)
            } else {
                try transmit.describe(2 * slot, start, 12, 1, 2 * slot + 1)
                try transmit.describe(2 * slot + 1, start + 12, count, 0, 0)
            }
            try transmit.offer(2 * slot)
            transmitQueue.kick.signal()
        case 2, 3:
            // Buffers for frames.
            let count = UInt16(input.byte() & 15) + 1
            let byteCount = UInt32(input.word() & 4095) + 12
            for _ in 0..<count {
                let index = receive.nextAvailable % Ring.size
                try receive.describe(index, 524288 + UInt64(index) * 4096, byteCount, 2, 0)
                try receive.offer(index)
            }
            receiveQueue.kick.signal()
        case 4:
            let count = Int(input.word())
            _ = try? peer.write(scratch, 0..<min(count, scratch.count))
        case 5:
            // Anything at all in a ring.
            let ring = input.byte() & 1 == 0 ? receive : transmit
            try ring.describe(
                input.word(), UInt64(input.long() & 0xf_ffff), input.long(), input.word(), input.word())
            if input.byte() & 1 == 0 {
                try transmit.offer(input.word())
                transmitQueue.kick.signal()
            } else {
                try receive.offer(input.word())
                receiveQueue.kick.signal()
            }
        case 6:
            now = now.advanced(by: .milliseconds(Int(input.byte())))
        default:
            _ = try? peer.read(into: &scratch)
        }
        var turns = 0
        while let next = try work.work(now: now), next <= now {
            turns += 1
            hold(turns < 1000, "the device never rests")
        }
        let used = try receive.usedCount()
        try receive.check(from: received, to: used)
        received = used
        hold(receiveQueue.nextAvailable &- used <= Ring.size, "a chain returned twice")
        let sent = try transmit.usedCount()
        hold(transmitQueue.nextAvailable == sent, "a frame kept, or returned twice")
    }
    work.finish()
    let used = try receive.usedCount()
    hold(receiveQueue.nextAvailable == used, "a chain lost with reset")
}
