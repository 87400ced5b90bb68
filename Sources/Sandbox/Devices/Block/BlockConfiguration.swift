// SPDX-License-Identifier: Apache-2.0
/// struct virtio_blk_config, virtio 1.2 §5.2.4.
struct BlockConfiguration {
    let bytes: [UInt8]

    init(_ disk: Disk) {
        var bytes = [UInt8](repeating: 0, count: 60)
        func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
            for index in 0..<MemoryLayout<Value>.size {
                bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
            }
        }
        let logical = disk.logicalBlockSize
        let physical = disk.physicalBlockSize
        put(disk.sectorCount, at: 0)
        put(BlockLimit.segments, at: 12)
        put(logical, at: 20)
        // Logical blocks in a physical one, as a power of two; then, in logical blocks, what goes well at once.
        put(UInt8((physical / logical).trailingZeroBitCount), at: 24)
        put(UInt16(clamping: physical / logical), at: 26)
        // One queue.
        put(UInt16(1), at: 34)
        if disk.canDiscard {
            put(BlockLimit.discardSectors, at: 36)
            put(UInt32(1), at: 40)
            put(physical / UInt32(sectorByteCount), at: 44)
            put(BlockLimit.zeroSectors, at: 48)
            put(UInt32(1), at: 52)
            put(UInt8(1), at: 56)
        }
        self.bytes = bytes
    }
}
