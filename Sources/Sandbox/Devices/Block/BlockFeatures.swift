// SPDX-License-Identifier: Apache-2.0
/// Feature bits of the device, virtio 1.2 §5.2.3.
public enum BlockFeature {
    /// VIRTIO_BLK_F_SEG_MAX: the configuration tells how many buffers a request may have.
    public static let segmentLimit: UInt64 = 1 << 2
    /// VIRTIO_BLK_F_RO.
    public static let readOnly: UInt64 = 1 << 5
    /// VIRTIO_BLK_F_BLK_SIZE: the configuration tells the logical block size.
    public static let blockSize: UInt64 = 1 << 6
    /// VIRTIO_BLK_F_FLUSH: what is written is cached until it is flushed.
    public static let flush: UInt64 = 1 << 9
    /// VIRTIO_BLK_F_TOPOLOGY: the configuration tells the physical block size.
    public static let topology: UInt64 = 1 << 10
    /// VIRTIO_BLK_F_DISCARD.
    public static let discard: UInt64 = 1 << 13
    /// VIRTIO_BLK_F_WRITE_ZEROES.
    public static let writeZeroes: UInt64 = 1 << 14
}

/// What a request is, virtio 1.2 §5.2.6.
enum BlockRequestType {
    static let read: UInt32 = 0
    static let write: UInt32 = 1
    static let flush: UInt32 = 4
    static let identify: UInt32 = 8
    static let discard: UInt32 = 11
    static let writeZeroes: UInt32 = 13
}

/// How a request ended.
enum BlockStatus: UInt8 {
    case done = 0
    case failed = 1
    case unsupported = 2
}

/// The limits of the device, as its configuration space tells them.
enum BlockLimit {
    static let queueSize: UInt16 = 256
    /// The buffers of one request: what fits in the queue beside header and status.
    static let segments = UInt32(queueSize) - 2
    /// In one request; a piece of a file system's metadata for most files.
    static let discardSectors: UInt32 = 1 << 22
    /// In one request; some storage writes them all out.
    static let zeroSectors: UInt32 = 1 << 17
    /// Requests that are under way at once.
    static let transfers = 128
    /// Requests that one turn takes on; fewer where each of them is waited for.
    static let turn = 128
    static let waitingTurn = 16
}

let sectorByteCount: UInt64 = 512
