// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory
import Linux
import Virtio

// The input is a guest: which registers it reads and writes, at what width, what it leaves in its memory, and when the
// device has a look. Held against it: no trap, the device is active exactly while the status says so, its configuration
// space is written inside its bounds alone, a broken device says so, and no descriptor stays open.

private let memoryByteCount: UInt64 = 64 << 10
private let start: UInt64 = 0x1_0000

/// One memory for all runs; each begins with zeros. With no memory there is nothing to fuzz: a trap is right.
private let memory: GuestMemory = {
    let file = try! FileDescriptor.memory(named: "fuzz")
    try! syscall(__NR_ftruncate, file.borrowed.argument, Int(memoryByteCount))
    return try! GuestMemory([
        .init(start: GuestAddress(rawValue: start), byteCount: memoryByteCount, file: file.borrowed)
    ])
}()

/// A device that looks when it is told: no thread, so every run is the same.
private final class FuzzDevice: VirtioDevice {
    let type = VirtioDeviceType.balloon
    let features: UInt64 = 1 << 5 | 1 << 40
    let queueSizes: [UInt16] = [16, 64]
    var configuration: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    private(set) var isActive = false
    private var queues: [Virtqueue] = []
    private var failed: @Sendable (VirtioError) -> Void = { _ in }
    private var configurationChanged: @Sendable () -> Void = {}

    func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        precondition(!isActive, "activated twice")
        precondition(activation.features & VirtioFeature.version1 != 0)
        precondition(activation.features & ~(features | 0x1_3000_0000) == 0, "features that were not offered")
        guard let first = activation.queues[0] else { throw .queueMissing(0) }
        precondition(first.size <= 16)
        isActive = true
        queues = activation.queues.compactMap { $0 }
        failed = activation.failed
        configurationChanged = activation.configurationChanged
    }

    func writeConfiguration(offset: Int, bytes: [UInt8]) {
        precondition(offset >= 0 && (1...8).contains(bytes.count) && offset + bytes.count <= configuration.count)
        configuration.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }

    func change(_ byte: UInt8) {
        configuration[3] = byte
        configurationChanged()
    }

    func reset() {
        isActive = false
        queues = []
    }

    /// - Returns: whether it broke.
    func look() -> Bool {
        for queue in queues {
            do {
                var chains = 0
                while chains < 64, let chain = try queue.next() {
                    for slice in chain.writable { try? slice.store(UInt8(chains), at: slice.count - 1) }
                    try queue.complete(chain.head, byteCount: UInt32(chain.writableCount))
                    chains += 1
                }
                queue.notify()
                _ = queue.enableKicks()
            } catch {
                failed(error)
                queues = []
                return true
            }
        }
        return false
    }
}

/// The bytes of the input, zeros when they are used up.
private struct Input {
    var bytes: UnsafeRawBufferPointer.SubSequence

    var isEmpty: Bool { bytes.isEmpty }
    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }
    mutating func number(_ byteCount: Int) -> UInt64 {
        (0..<byteCount).reduce(0) { $0 | UInt64(byte()) << UInt64(8 * $1) }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    do { try play(Input(bytes: UnsafeRawBufferPointer(start: data, count: byteCount)[...])) } catch {}
    return 0
}

private func play(_ input: Input) throws {
    let all = try memory.slice(at: GuestAddress(rawValue: start), byteCount: memoryByteCount)
    all.withBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
    let before = try lowestFree()
    let device = FuzzDevice()
    try drive(device, input, all)
    precondition(!device.isActive, "the device was left running")
    let after = try lowestFree()
    precondition(after == before, "a descriptor leaked")
}

private func drive(_ device: FuzzDevice, _ input: Input, _ all: GuestSlice) throws {
    var input = input
    let transport = try MMIOTransport(device: device, memory: memory, interrupt: try EventFD())
    defer { transport.stop() }
    var steps = 0
    while !input.isEmpty, steps < 4000 {
        steps += 1
        let choice = input.byte()
        switch choice >> 5 {
        case 0, 1:
            // A register of 4 bytes; the low six bits of the choice are its place.
            transport.write(UInt64(choice & 0x3f) * 4, width: 4, input.number(4))
        case 2:
            // The same with a small number.
            transport.write(UInt64(choice & 0x1f) * 4, width: 4, input.number(1))
        case 3:
            // Anywhere, any width.
            transport.write(input.number(2), width: Int(Int8(bitPattern: input.byte())), input.number(8))
        case 4:
            let offset = input.number(2)
            let width = Int(choice & 0x1f) - 8
            let value = transport.read(offset, width: width)
            if (1...7).contains(width) { precondition(value >> UInt64(8 * width) == 0, "more than was asked for") }
        case 5:
            // Something in memory.
            let offset = Int(input.number(2))
            let value = input.number(8)
            if offset + 8 <= all.count { try all.store(value, at: offset) }
        case 6:
            // Legal steps, so that the rest is reached.
            bringUp(transport, until: choice & 7)
        default:
            if choice & 1 == 0 {
                let wasWell = transport.read(0x70, width: 4) & 0x44 == 4
                if device.look(), wasWell { precondition(transport.read(0x70, width: 4) & 64 != 0) }
            } else {
                device.change(input.byte())
            }
        }
        let status = transport.read(0x70, width: 4)
        if device.isActive { precondition(status & 15 == 15, "active in status \(status)") }
        if status & 0x44 == 4 { precondition(device.isActive, "status \(status), and not active") }
        let reasons = transport.read(0x60, width: 4)
        precondition(reasons & ~3 == 0 && (reasons & 1 == 1) == (status & 4 == 4))
    }
}

/// What a driver does, as far as step `last`.
private func bringUp(_ transport: MMIOTransport, until last: UInt8) {
    let steps: [[(UInt64, UInt64)]] = [
        [(0x70, 0)], [(0x70, 1)], [(0x70, 3)],
        [(0x24, 1), (0x20, 1), (0x24, 0), (0x20, 0x3000_0000), (0x70, 11)],
        [
            (0x30, 0), (0x38, 16), (0x80, start), (0x84, 0), (0x90, start + 512), (0x94, 0), (0xa0, start + 1024),
            (0xa4, 0),
        ],
        [(0x44, 1)], [(0x70, 15)],
    ]
    for step in steps.prefix(Int(last) + 1) {
        for (offset, value) in step { transport.write(offset, width: 4, value) }
    }
}

/// The lowest number that is free, which a leak would move, but for one behind a gap.
private func lowestFree() throws -> Int32 {
    let probe = try FileDescriptor.memory(named: "probe")
    return probe.rawValue
}
