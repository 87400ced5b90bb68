// SPDX-License-Identifier: Apache-2.0
import CLinux
import SandboxPlan
import Block
import GuestMemory
import Linux
import Virtio

// The input is a program for the driver of a disk: requests with headers, cuts and lengths of all kinds, descriptors
// with anything in them, and a disk that changes its size meanwhile. Held against it: no trap, no request returned
// twice, nothing written to a disk that is read-only, and nothing that makes a disk longer than it ever was.

private let sectors: UInt64 = 64

private let disk = try! FileDescriptor.memory(named: "disk")

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data else { return 0 }
    do { try play(Input(bytes: UnsafeRawBufferPointer(start: data, count: byteCount)[...])) } catch {}
    return 0
}

private func size() throws -> Int { try syscall(8, disk.borrowed.argument, 0, 2) }

private func play(_ input: Input) throws {
    var input = input
    let shape = input.byte()
    let isReadOnly = shape & 1 != 0
    try syscall(__NR_ftruncate, disk.borrowed.argument, 0)
    try syscall(__NR_ftruncate, disk.borrowed.argument, Int(sectors * 512))
    let all = try Guest.memory.slice(
        at: GuestAddress(rawValue: 0), byteCount: Guest.memoryByteCount - Guest.ringByteCount)
    all.withBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0xa5) }
    var ring = try Ring(0)
    let features: UInt64 =
        VirtioFeature.version1 | (shape & 2 != 0 ? VirtioFeature.eventIndex | VirtioFeature.indirectDescriptors : 0)
        | (shape & 4 != 0 ? 0 : BlockFeature.flush) | BlockFeature.discard | BlockFeature.writeZeroes
    let queue = try ring.queue(features: features)
    let start = ContinuousClock.now
    var now = start
    let limits =
        shape & 8 == 0
        ? RateLimits.unlimited
        : RateLimits(
            bandwidth: RateLimit(size: 4096, burst: 512, refill: .milliseconds(100)),
            operations: RateLimit(size: 8, refill: .milliseconds(50)))
    let work = BlockWork(
        disk: try Disk(try disk.duplicate(), isReadOnly: isReadOnly), queue: queue, memory: Guest.memory,
        features: features, limits: limits, now: start)
    var shrunk = false
    var steps = 0
    while !input.isEmpty, steps < 500 {
        steps += 1
        switch input.byte() % 6 {
        case 0, 1, 2:
            // A request: header, data one way or the other, status; any of it cut up or left out.
            let slot = UInt16(input.byte() & 15)
            let base = UInt64(slot) * 32768
            let cut = input.byte()
            let type = cut & 1 == 0 ? [0, 1, 4, 8, 11, 13][Int(input.byte()) % 6] : input.long()
            let sector = cut & 2 == 0 ? UInt64(input.byte()) : input.quad()
            try all.store(type, at: Int(base))
            try all.store(sector, at: Int(base) + 8)
            // What a discard would find behind the header.
            try all.store(cut & 4 == 0 ? UInt64(input.byte()) : input.quad(), at: Int(base) + 16)
            try all.store(cut & 8 == 0 ? UInt64(input.byte()) : input.quad(), at: Int(base) + 24)
            let dataCount = cut & 16 == 0 ? UInt32(input.byte()) * 512 : UInt32(input.word())
            let isToDevice = type == 1 || type == 11 || type == 13
            let headerCount: UInt32 = cut & 32 == 0 ? 16 : UInt32(input.byte() % 20)
            let first = slot * 4
            if cut & 64 == 0 {
                let range = type == 11 || type == 13
                try ring.describe(first, base, headerCount, 1, first + 1)
                try ring.describe(
                    first + 1, base + 16, range ? 16 : dataCount, isToDevice ? 1 : 3, first + 2)
                try ring.describe(first + 2, base + 32767, 1, 2, 0)
            } else {
                try ring.describe(first, base, headerCount, 1, first + 1)
                try ring.describe(first + 1, base + 64, dataCount + 1, 2, 0)
            }
            try ring.offer(first)
        case 3:
            try ring.describe(input.word(), input.quad() & 0xf_ffff, input.long(), input.word(), input.word())
            if input.byte() & 1 == 0 { try ring.offer(input.word()) }
        case 4:
            now = now.advanced(by: .milliseconds(Int(input.byte())))
        default:
            let size = Int(input.byte() % 80) * 512
            if size < Int(sectors * 512) { shrunk = true }
            try syscall(__NR_ftruncate, disk.borrowed.argument, min(size, Int(sectors * 512)))
        }
        var turns = 0
        while let next = try work.work(now: now), next <= now {
            turns += 1
            hold(turns < 1000, "the disk never rests")
        }
        let used = try ring.usedCount()
        hold(used == queue.nextAvailable, "a request without a disk's answer, or with two")
        let byteCount = try size()
        hold(byteCount <= Int(sectors * 512), "the disk has grown")
        if isReadOnly, !shrunk {
            // Nothing a request holds is all zeroes.
            let content = try disk.readFromStart(limit: Int(sectors * 512))
            hold(content.allSatisfy { $0 == 0 }, "a disk that is read-only was written")
        }
    }
}
