// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Virtio

/// A request of the driver, virtio 1.2 §5.2.6, read once and checked.
struct BlockRequest {
    enum Operation {
        case read
        case write
        case flush
        case identify
        case discard
        /// Write zeroes; `zeroAndDiscard` may give the range back.
        case zero
        case zeroAndDiscard
    }

    let head: UInt16
    /// Nil for what is answered at once, with `status`.
    var operation: Operation?
    private(set) var status = BlockStatus.failed
    /// Where on the disk, in bytes.
    private(set) var offset: UInt64 = 0
    /// How many bytes of it: of the buffers for a read or write, of the disk for the others.
    private(set) var byteCount: UInt64 = 0
    /// The byte that takes the status.
    let answer: GuestSlice
    /// What the used ring tells: up to the status, which is the last byte the device may write.
    let usedCount: UInt32

    /// struct virtio_blk_req up to its data.
    static let headerCount = 16
    static let identifierCount = 20

    /// - Throws: `chainTooShort` where there is no room for the status: nobody to tell.
    init(_ chain: DescriptorChain, disk: Disk, features: UInt64) throws(VirtioError) {
        head = chain.head
        let writableCount = chain.writableCount
        guard let last = chain.writable.last, last.count > 0 else { throw .chainTooShort(head: chain.head) }
        do {
            answer = try last.part(from: last.count &- 1, byteCount: 1)
        } catch { throw .buffer(head: chain.head, error) }
        usedCount = UInt32(truncatingIfNeeded: writableCount)
        guard let (first, sector) = Self.words(of: chain.readable, at: 0) else { return }
        switch UInt32(truncatingIfNeeded: first) {
        case BlockRequestType.read:
            take(.read, sector, UInt64(writableCount &- 1), disk)
        case BlockRequestType.write where !disk.isReadOnly:
            take(.write, sector, UInt64(chain.readableCount &- Self.headerCount), disk)
        case BlockRequestType.flush:
            operation = .flush
        case BlockRequestType.identify where writableCount > Self.identifierCount:
            operation = .identify
        case BlockRequestType.discard where features & BlockFeature.discard != 0,
            BlockRequestType.writeZeroes where features & BlockFeature.writeZeroes != 0:
            takeRange(UInt32(truncatingIfNeeded: first), chain, disk)
        case BlockRequestType.write, BlockRequestType.identify:
            break
        default:
            status = .unsupported
        }
    }

    private mutating func take(_ operation: Operation, _ sector: UInt64, _ count: UInt64, _ disk: Disk) {
        guard count > 0, count % sectorByteCount == 0, contains(disk, sector, count / sectorByteCount) else { return }
        offset = sector * sectorByteCount
        byteCount = count
        self.operation = operation
    }

    /// struct virtio_blk_discard_write_zeroes, §5.2.6: exactly one of it.
    private mutating func takeRange(_ type: UInt32, _ chain: DescriptorChain, _ disk: Disk) {
        guard !disk.isReadOnly, chain.readableCount == 2 * Self.headerCount,
            let (sector, rest) = Self.words(of: chain.readable, at: Self.headerCount)
        else { return }
        let count = rest & 0xffff_ffff
        let flags = rest >> 32
        let isDiscard = type == BlockRequestType.discard
        // §5.2.6.2: an unknown flag, or unmap with a discard.
        guard flags & ~1 == 0, !(isDiscard && flags != 0) else {
            status = .unsupported
            return
        }
        let limit = isDiscard ? BlockLimit.discardSectors : BlockLimit.zeroSectors
        guard count > 0, count <= limit, contains(disk, sector, count) else { return }
        offset = sector * sectorByteCount
        byteCount = count * sectorByteCount
        operation = isDiscard ? .discard : flags & 1 == 0 ? .zero : .zeroAndDiscard
    }

    /// Whether `count` sectors from `sector` on are on the disk.
    private func contains(_ disk: Disk, _ sector: UInt64, _ count: UInt64) -> Bool {
        let all = disk.sectorCount
        // What lies beyond any file's reach cannot be named to the kernel either.
        return sector <= all && count <= all &- sector && all <= UInt64(Int64.max) / sectorByteCount
    }

    /// The two little-endian words of 64 bits from `offset` on, however they are cut up; nil where they end before.
    private static func words(of slices: [GuestSlice], at offset: Int) -> (UInt64, UInt64)? {
        var skip = offset
        for (index, slice) in slices.enumerated() {
            if skip >= slice.count {
                skip &-= slice.count
                continue
            }
            if slice.count &- skip >= 16, let first: UInt64 = try? slice.load(at: skip),
                let second: UInt64 = try? slice.load(at: skip &+ 8)
            {
                return (first, second)
            }
            return words(cutUp: slices[index...], skip)
        }
        return nil
    }

    private static func words(cutUp slices: ArraySlice<GuestSlice>, _ start: Int) -> (UInt64, UInt64)? {
        var words: (UInt64, UInt64) = (0, 0)
        var count = 0
        var skip = start
        for slice in slices {
            var place = skip
            while place < slice.count, count < 16, let byte: UInt8 = try? slice.load(at: place) {
                if count < 8 {
                    words.0 |= UInt64(byte) << (8 * UInt64(count))
                } else {
                    words.1 |= UInt64(byte) << (8 * UInt64(count - 8))
                }
                place += 1
                count += 1
            }
            skip = 0
        }
        return count == 16 ? words : nil
    }
}
