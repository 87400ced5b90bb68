// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory
import Linux
import Virtio

// The input is what a hostile driver leaves in its memory: byte 0 the features, bytes 1 and 2 the available index,
// the rest is laid over the queue's parts and its buffers. Held against it: no trap, no loop without end, every slice
// of a chain inside the memory and none empty.

private let memoryByteCount: UInt64 = 64 << 10
private let queueSize: UInt16 = 16
private let start: UInt64 = 0x1_0000

/// One memory for all runs; each begins with zeros. With no memory there is nothing to fuzz: a trap is right.
private let memory: GuestMemory = {
    let file = try! FileDescriptor.memory(named: "fuzz")
    try! syscall(__NR_ftruncate, file.borrowed.argument, Int(memoryByteCount))
    return try! GuestMemory([
        .init(start: GuestAddress(rawValue: start), byteCount: memoryByteCount, file: file.borrowed)
    ])
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data, byteCount >= 3 else { return 0 }
    do { try walk(UnsafeRawBufferPointer(start: data, count: byteCount)) } catch {}
    return 0
}

private func walk(_ input: UnsafeRawBufferPointer) throws {
    let all = try memory.slice(at: GuestAddress(rawValue: start), byteCount: memoryByteCount)
    all.withBytes { bytes in
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        // Table, available ring at 512, used ring at 1024: a short input reaches them all.
        let body = input.dropFirst(3).prefix(bytes.count)
        bytes.copyBytes(from: body)
    }
    var features = VirtioFeature.version1
    if input[0] & 1 != 0 { features |= VirtioFeature.indirectDescriptors }
    if input[0] & 2 != 0 { features |= VirtioFeature.eventIndex }
    try all.store(UInt16(input[1]) | UInt16(input[2]) << 8, at: 512 + 2)
    let queue = try Virtqueue(
        memory: memory,
        layout: .init(
            size: queueSize, descriptors: GuestAddress(rawValue: start),
            available: GuestAddress(rawValue: start + 512), used: GuestAddress(rawValue: start + 1024)),
        features: features, kick: try EventFD(), call: try EventFD())
    for _ in 0..<2 * Int(queueSize) {
        do {
            guard let chain = try queue.next() else { break }
            precondition(chain.readable.count + chain.writable.count <= 1024)
            var sum = 0
            for slice in chain.readable + chain.writable {
                precondition(slice.count > 0 && slice.count <= Int(memoryByteCount))
                // Both ends can be touched.
                let first: UInt8 = try slice.load(at: 0)
                let last: UInt8 = try slice.load(at: slice.count - 1)
                sum += Int(first) + Int(last)
            }
            // The last thing a device does; it may well overwrite the rings.
            if let room = chain.writable.first { try room.store(UInt8(truncatingIfNeeded: sum), at: 0) }
            try queue.complete(chain.head, byteCount: UInt32(sum))
            queue.notify()
            _ = queue.enableKicks()
        } catch VirtioError.availableIndex {
            break
        } catch {
            // The chain is taken; the next may be well.
        }
    }
}
