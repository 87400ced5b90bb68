// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// Descriptor flags, virtio 1.2 §2.7.5.
private enum Flag {
    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4
}

/// The buffers of the chain being walked. The queue keeps the arrays of the last one: where the device has let
/// go of that chain by then, the next one is walked without an allocation.
struct ChainBuffers {
    var readable: [GuestSlice] = []
    var writable: [GuestSlice] = []

    /// Longer arrays are not kept: chains in flight would each inherit their room.
    static let keptCount = 64

    /// One by one is quicker than removeAll(keepingCapacity:) for the few there are.
    mutating func clear() {
        while readable.popLast() != nil {}
        while writable.popLast() != nil {}
    }
}

extension Virtqueue {
    /// The most descriptors of one chain, whatever an indirect table claims to hold.
    var chainLimit: UInt32 { max(UInt32(size), 1024) }

    /// Follows the chain that begins at `head`, through one indirect table at most.
    ///
    /// A chain visits no more descriptors than the limit, which ends every loop.
    func chain(from head: UInt16) throws(VirtioError) -> DescriptorChain {
        var buffers = spare
        spare = ChainBuffers()
        buffers.clear()
        var table = descriptors
        var tableSize = UInt32(size)
        var index = head
        var visited: UInt32 = 0
        var byteCount: UInt64 = 0
        var isIndirect = false
        while true {
            guard UInt32(index) < tableSize else { throw .descriptorIndex(index, size: tableSize) }
            visited &+= 1
            guard visited <= chainLimit else { throw .chainTooLong(head: head) }
            let descriptor = try load(table, index)
            if descriptor.flags & Flag.indirect != 0 {
                // §2.7.5.3.1: not nested, the last of its chain, a whole number of entries.
                guard allowsIndirect, !isIndirect, descriptor.flags & Flag.next == 0, descriptor.byteCount > 0,
                    descriptor.byteCount % 16 == 0
                else { throw .indirectTable(head: head) }
                table = try buffer(descriptor, head)
                tableSize = descriptor.byteCount / 16
                index = 0
                isIndirect = true
                continue
            }
            // The standard does not forbid a descriptor of no bytes; a device never sees it.
            if descriptor.byteCount > 0 {
                let slice = try buffer(descriptor, head)
                if descriptor.flags & Flag.write != 0 {
                    buffers.writable.append(slice)
                } else {
                    guard buffers.writable.isEmpty else { throw .descriptorOrder(head: head) }
                    buffers.readable.append(slice)
                }
            }
            byteCount &+= UInt64(descriptor.byteCount)
            if descriptor.flags & Flag.next == 0 { break }
            index = descriptor.next
        }
        // §2.7.5.2: a chain of 2^32 bytes or more; used lengths have 32 bits.
        guard byteCount <= UInt64(UInt32.max) else { throw .chainTooLong(head: head) }
        if visited <= UInt32(ChainBuffers.keptCount) { spare = buffers }
        return DescriptorChain(head: head, readable: buffers.readable, writable: buffers.writable)
    }

    @inline(__always)
    private func load(_ table: GuestSlice, _ index: UInt16) throws(VirtioError) -> Descriptor {
        do { return try Descriptor(in: table, at: 16 &* Int(index)) } catch { throw .ring(error) }
    }

    @inline(__always)
    private func buffer(_ descriptor: Descriptor, _ head: UInt16) throws(VirtioError) -> GuestSlice {
        do {
            return try memory.slice(at: descriptor.address, byteCount: UInt64(descriptor.byteCount))
        } catch {
            throw .buffer(head: head, error)
        }
    }
}

/// struct virtq_desc, virtio 1.2 §2.7.5, read once.
struct Descriptor {
    let address: GuestAddress
    let byteCount: UInt32
    let flags: UInt16
    let next: UInt16

    @inline(__always)
    init(in table: GuestSlice, at offset: Int) throws(GuestMemoryError) {
        address = GuestAddress(rawValue: try table.load(at: offset))
        let rest: UInt64 = try table.load(at: offset &+ 8)
        byteCount = UInt32(truncatingIfNeeded: rest)
        flags = UInt16(truncatingIfNeeded: rest >> 32)
        next = UInt16(truncatingIfNeeded: rest >> 48)
    }
}
