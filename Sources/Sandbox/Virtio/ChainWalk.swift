import GuestMemory

/// Descriptor flags, virtio 1.2 §2.7.5.
private enum Flag {
    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4
}

extension Virtqueue {
    /// Follows the chain that begins at `head`, through one indirect table at most.
    ///
    /// A chain visits no more descriptors than its table has, which ends every loop.
    func chain(from head: UInt16) throws(VirtioError) -> DescriptorChain {
        var readable: [GuestSlice] = []
        var writable: [GuestSlice] = []
        var table = descriptors
        var tableSize = UInt32(size)
        var index = head
        var visited: UInt32 = 0
        var isIndirect = false
        while true {
            guard UInt32(index) < tableSize else { throw .descriptorIndex(index, size: tableSize) }
            visited += 1
            guard visited <= tableSize else { throw .chainTooLong(head: head) }
            let descriptor = try ring { () throws(GuestMemoryError) in try Descriptor(in: table, at: 16 * Int(index)) }
            if descriptor.flags & Flag.indirect != 0 {
                // §2.7.5.3.1: not nested, alone in its chain's tail, a whole number of entries.
                guard allowsIndirect, !isIndirect, descriptor.flags & Flag.next == 0,
                    descriptor.byteCount > 0, descriptor.byteCount % 16 == 0, descriptor.byteCount / 16 <= 32768
                else { throw .indirectTable(head: head) }
                table = try buffer(descriptor, head)
                tableSize = descriptor.byteCount / 16
                index = 0
                visited = 0
                isIndirect = true
                continue
            }
            let slice = try buffer(descriptor, head)
            if descriptor.flags & Flag.write != 0 {
                writable.append(slice)
            } else {
                guard writable.isEmpty else { throw .descriptorOrder(head: head) }
                readable.append(slice)
            }
            guard descriptor.flags & Flag.next != 0 else { break }
            index = descriptor.next
        }
        return DescriptorChain(head: head, readable: readable, writable: writable)
    }

    func buffer(_ descriptor: Descriptor, _ head: UInt16) throws(VirtioError) -> GuestSlice {
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

    init(in table: GuestSlice, at offset: Int) throws(GuestMemoryError) {
        address = GuestAddress(rawValue: try table.load(at: offset))
        byteCount = try table.load(at: offset + 8)
        flags = try table.load(at: offset + 12)
        next = try table.load(at: offset + 14)
    }
}
