// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
public import Linux
import Synchronization

/// A disk: a regular file or a block device, raw. What is in it is the guest's alone: the monitor never looks for
/// a format.
public final class Disk: Sendable {
    let file: FileDescriptor
    /// The guest may only read.
    public let isReadOnly: Bool
    /// It is no regular file.
    public let isBlockDevice: Bool
    /// The unit of addressing that requests keep to, in bytes.
    let logicalBlockSize: UInt32
    /// What the storage writes at once, in bytes.
    let physicalBlockSize: UInt32
    /// Whether ranges can be given back to the storage.
    let canDiscard: Bool
    private let sectors: Atomic<UInt64>

    /// - Parameters:
    ///   - file: open for reading, and for writing unless the disk is read-only.
    ///   - isReadOnly: whether the guest may only read. The descriptor is then never written to.
    public init(_ file: consuming FileDescriptor, isReadOnly: Bool) throws(BlockError) {
        let status: FileNode.Status
        let flags: Int32
        do { status = try FileNode.status(of: file.borrowed) } catch { throw .disk(operation: "fstat", error) }
        do {
            flags = Int32(truncatingIfNeeded: try syscall(__NR_fcntl, file.borrowed.argument, Int(F_GETFL)))
        } catch { throw .disk(operation: "fcntl", error) }
        guard status.isRegularFile || status.kind == S_IFBLK else { throw .kind(mode: status.kind) }
        let access = flags & O_ACCMODE
        guard flags & OpenOptions.path.rawValue == 0, access == O_RDWR || (access == O_RDONLY && isReadOnly) else {
            throw .access(flags: flags)
        }
        guard flags & O_APPEND == 0 else { throw .appends }
        // With O_NONBLOCK a read that has to wait for the storage would fail instead.
        do { try file.setNonBlocking(false) } catch { throw .disk(operation: "fcntl", error) }

        let isBlockDevice = !status.isRegularFile
        let byteCount = try Self.byteCount(of: file.borrowed)
        guard byteCount >= sectorByteCount else { throw .empty(byteCount: byteCount) }
        let isDirect = flags & Int32(CL_O_DIRECT) != 0
        logicalBlockSize = try Self.logicalBlockSize(of: file.borrowed, isBlockDevice, isDirect)
        physicalBlockSize =
            isBlockDevice
            ? max(logicalBlockSize, try Self.property(BlockDeviceRequest.physicalBlockSize, of: file.borrowed)) : 4096
        canDiscard = !isReadOnly && Self.canPunch(file.borrowed, byteCount: byteCount, isBlockDevice)
        sectors = Atomic(byteCount / sectorByteCount)
        self.isBlockDevice = isBlockDevice
        self.isReadOnly = isReadOnly
        self.file = file
    }

    /// The size, in sectors of 512 bytes. What is left over at the end of a file is not the guest's.
    public var sectorCount: UInt64 { sectors.load(ordering: .relaxed) }

    /// Looks how large the disk is now.
    ///
    /// - Returns: whether that has changed.
    func refresh() throws(BlockError) -> Bool {
        let count = try Self.byteCount(of: file.borrowed) / sectorByteCount
        return sectors.exchange(count, ordering: .relaxed) != count
    }

    private static func byteCount(of file: BorrowedDescriptor) throws(BlockError) -> UInt64 {
        do {
            // The position may move: all transfers name their own.
            return UInt64(try syscall(__NR_lseek, file.argument, 0, Int(SEEK_END)))
        } catch { throw .disk(operation: "lseek", error) }
    }

    /// Any byte can be reached through the page cache; without it (O_DIRECT), whole blocks only.
    private static func logicalBlockSize(
        of file: BorrowedDescriptor, _ isBlockDevice: Bool, _ isDirect: Bool
    ) throws(BlockError) -> UInt32 {
        if isBlockDevice { return try property(BlockDeviceRequest.logicalBlockSize, of: file) }
        return isDirect ? 4096 : 512
    }

    private static func property(_ request: Int, of file: BorrowedDescriptor) throws(BlockError) -> UInt32 {
        let value: UInt32
        do {
            value = try PositionedIO.blockDeviceProperty(request, of: file)
        } catch { throw .disk(operation: "ioctl", error) }
        // A power of two that holds a sector, as the driver takes it for granted.
        guard value >= 512, value <= 1 << 20, value & (value - 1) == 0 else {
            throw .disk(operation: "ioctl", .invalidArgument)
        }
        return value
    }

    /// Punches a hole behind the file's end, where there is nothing. A block device tells only when it is asked.
    private static func canPunch(_ file: BorrowedDescriptor, byteCount: UInt64, _ isBlockDevice: Bool) -> Bool {
        if isBlockDevice { return true }
        let behind = (byteCount + 1 << 20) & ~0xffff
        guard behind < UInt64(Int.max) else { return false }
        return PositionedIO.allocate(file, mode: AllocationMode.punch, at: behind, byteCount: 65536) == 0
    }
}

/// Requests of <linux/fs.h>.
private enum BlockDeviceRequest {
    static let logicalBlockSize = 0x1268
    static let physicalBlockSize = 0x127b
}

/// Of fallocate(2): the size stays.
enum AllocationMode {
    /// FALLOC_FL_PUNCH_HOLE: reads zeroes, and takes no room.
    static let punch: Int32 = 0x02 | 0x01
    /// FALLOC_FL_ZERO_RANGE: reads zeroes, and keeps its room.
    static let zero: Int32 = 0x10 | 0x01
}
