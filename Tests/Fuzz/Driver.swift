// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory
import Linux
import Virtio

// What the targets of devices with queues have in common: an input that is read piece by piece, and a driver's half
// of a queue.

/// The bytes of the input, zeros when they are used up.
struct Input {
    var bytes: UnsafeRawBufferPointer.SubSequence

    var isEmpty: Bool { bytes.isEmpty }
    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }
    mutating func word() -> UInt16 { UInt16(byte()) | UInt16(byte()) << 8 }
    mutating func long() -> UInt32 { UInt32(word()) | UInt32(word()) << 16 }
    mutating func quad() -> UInt64 { UInt64(long()) | UInt64(long()) << 32 }
}

/// A precondition that says which: a release build's do not.
func hold(_ condition: Bool, _ message: StaticString) {
    if !condition { fatalError("\(message)") }
}

/// One memory for all runs.
enum Guest {
    static let memoryByteCount: UInt64 = 1 << 20
    /// Of the memory, at its end. The rings lie where no input leads: a device that was told to write over them would
    /// return nonsense by right.
    static let ringByteCount: UInt64 = 65536
    static let ringStart: UInt64 = 0x5a5a_1234_0000

    /// With no memory there is nothing to fuzz: a trap is right.
    static let memory: GuestMemory = {
        let file = try! FileDescriptor.memory(named: "fuzz")
        try! syscall(__NR_ftruncate, file.borrowed.argument, Int(memoryByteCount))
        return try! GuestMemory([
            .init(start: GuestAddress(rawValue: 0), byteCount: memoryByteCount - ringByteCount, file: file.borrowed),
            .init(
                start: GuestAddress(rawValue: ringStart), byteCount: ringByteCount, file: file.borrowed,
                offset: memoryByteCount - ringByteCount),
        ])
    }()
}

/// The driver's half of a queue, empty at first.
struct Ring {
    static let size: UInt16 = 64

    let start: UInt64
    let all: GuestSlice
    var nextAvailable: UInt16 = 0

    /// - Parameter number: 0 to 3, of the rings there is room for.
    init(_ number: Int) throws {
        start = Guest.ringStart + UInt64(number) * 16384
        all = try Guest.memory.slice(at: GuestAddress(rawValue: start), byteCount: 12288)
        all.withBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }

    func queue(features: UInt64) throws -> Virtqueue {
        try Virtqueue(
            memory: Guest.memory,
            layout: .init(
                size: Self.size, descriptors: GuestAddress(rawValue: start),
                available: GuestAddress(rawValue: start + 4096), used: GuestAddress(rawValue: start + 8192)),
            features: features, kick: try EventFD(), call: try EventFD())
    }

    func describe(_ index: UInt16, _ address: UInt64, _ byteCount: UInt32, _ flags: UInt16, _ next: UInt16) throws {
        let offset = 16 * Int(index % Self.size)
        try all.store(address, at: offset)
        try all.store(byteCount, at: offset + 8)
        try all.store(flags, at: offset + 12)
        try all.store(next, at: offset + 14)
    }

    mutating func offer(_ head: UInt16) throws {
        try all.store(head, at: 4096 + 4 + 2 * Int(nextAvailable % Self.size))
        nextAvailable &+= 1
        try all.storeRelease(nextAvailable, at: 4096 + 2)
    }

    func usedCount() throws -> UInt16 { try all.loadAcquire(at: 8192 + 2) }
}
