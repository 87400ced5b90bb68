// SPDX-License-Identifier: Apache-2.0
import CLinux
import Balloon
import GuestMemory
import Linux
import Virtio

// The input is what a hostile driver leaves in its memory: byte 0 the features, four bytes the available indices of
// the queues, the rest is laid over their parts and what they point at. Held against it: no trap, an end to every
// turn, and nothing taken from the file outside the guest's memory.

private let page: UInt64 = 4096
/// The guest's memory lies in the middle of its file, between pages that are not the guest's.
private let margin: UInt64 = 64 * page
private let memoryByteCount: UInt64 = 64 * page
private let start: UInt64 = 0x10_0000
private let queueSize: UInt16 = 16
private let queueCount = 4

private struct Host {
    let guest: GuestMemory
    let whole: GuestMemory

    init() throws {
        let file = try FileDescriptor.memory(named: "fuzz")
        try syscall(__NR_ftruncate, file.borrowed.argument, Int(memoryByteCount + 2 * margin))
        guest = try GuestMemory([
            .init(
                start: GuestAddress(rawValue: start), byteCount: memoryByteCount, file: file.borrowed, offset: margin)
        ])
        whole = try GuestMemory([
            .init(start: GuestAddress(rawValue: 0), byteCount: memoryByteCount + 2 * margin, file: file.borrowed)
        ])
        for mark in try marks { try mark.store(UInt64.max, at: 0) }
    }

    /// The first word of each page around the guest's memory.
    var marks: [GuestSlice] {
        get throws {
            try (0..<(memoryByteCount + 2 * margin) / page).map { $0 * page }
                .filter { $0 < margin || $0 >= margin + memoryByteCount }
                .map { try whole.slice(at: GuestAddress(rawValue: $0), byteCount: 8) }
        }
    }
}

/// One memory for all runs; each begins with zeros. With no memory there is nothing to fuzz: a trap is right.
private let host = try! Host()
private let marks = try! host.marks

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data, byteCount >= 5 else { return 0 }
    do { try serve(UnsafeRawBufferPointer(start: data, count: byteCount)) } catch {}
    for mark in marks { precondition((try? mark.load(UInt64.self, at: 0)) == .max) }
    return 0
}

private func serve(_ input: UnsafeRawBufferPointer) throws {
    let all = try host.guest.slice(at: GuestAddress(rawValue: start), byteCount: memoryByteCount)
    all.withBytes { bytes in
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        bytes.copyBytes(from: input.dropFirst(5).prefix(bytes.count))
    }
    var features = VirtioFeature.version1
    if input[0] & 1 != 0 { features |= VirtioFeature.indirectDescriptors }
    if input[0] & 2 != 0 { features |= VirtioFeature.eventIndex }
    if input[0] & 4 != 0 { features |= 1 << 1 }
    if input[0] & 8 != 0 { features |= 1 << 5 }
    var queues: [Virtqueue?] = []
    for index in 0..<queueCount {
        // Table, available ring, used ring: 512 bytes a queue, so that a short input reaches them all.
        let base = start + UInt64(512 * index)
        try all.store(UInt16(input[1 + index]), at: 512 * index + 256 + 2)
        queues.append(
            try Virtqueue(
                memory: host.guest,
                layout: .init(
                    size: queueSize, descriptors: GuestAddress(rawValue: base),
                    available: GuestAddress(rawValue: base + 256), used: GuestAddress(rawValue: base + 320)),
                features: features, kick: try EventFD(), call: try EventFD()))
    }
    let work = try BalloonWork(
        memory: host.guest, queues: try BalloonQueues(queues, features: features), state: try BalloonState())
    let now = ContinuousClock.now
    // It is asked for turns no longer than there are chains.
    var turns = 0
    while try work.work(now: now) != nil {
        turns += 1
        precondition(turns <= queueCount * Int(queueSize))
    }
}
