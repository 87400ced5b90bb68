import CLinux
import Glibc
public import Linux

/// What can be wrong with an address that a guest names, or with memory that a front-end hands over.
public enum GuestMemoryError: Error, Equatable {
    /// `byteCount` bytes from `address` on do not lie in one region of the guest's memory.
    case outOfBounds(address: GuestAddress, byteCount: UInt64)
    /// An access inside a slice of `count` bytes went past its end.
    case outsideSlice(offset: Int, byteCount: Int, count: Int)
    /// Two regions overlap, or one wraps around or is empty.
    case badRegion(start: GuestAddress, byteCount: UInt64)
    /// mmap(2) of a region failed.
    case map(start: GuestAddress, byteCount: UInt64, Errno)
}

/// The guest's physical memory, mapped here and shared with it: it may change under every read, so a value
/// is read once and then checked, never checked and read again.
///
/// Regions are fixed for the life of the object; a changed memory table is a new GuestMemory. The mappings
/// go when the last owner does.
public final class GuestMemory: @unchecked Sendable {
    // @unchecked: the table never changes after init; the bytes are the guest's and belong to no thread.

    /// One run of guest memory, and where it is mapped here.
    public struct Region: Sendable {
        public let start: GuestAddress
        public let byteCount: UInt64
        /// Where a vhost-user front-end has the same bytes in its own address space; 0 if there is none.
        public let frontEndStart: UInt64
        @usableFromInline let mapped: MappedMemory
        @usableFromInline let offset: Int
    }

    @usableFromInline let regions: [Region]

    /// Memory described piece by piece, each `byteCount` bytes of `file` from `offset` on, mapped shared. The
    /// files may be closed afterwards.
    public init(_ pieces: [Piece]) throws(GuestMemoryError) {
        var regions: [Region] = []
        for piece in pieces.sorted(by: { $0.start < $1.start }) {
            guard piece.byteCount > 0, piece.byteCount <= UInt64(Int.max) / 2,
                piece.offset <= UInt64(Int.max) / 2,
                piece.start.advanced(by: piece.byteCount) != nil,
                regions.last.map({ $0.start.rawValue + $0.byteCount <= piece.start.rawValue }) ?? true
            else { throw .badRegion(start: piece.start, byteCount: piece.byteCount) }
            do {
                // mmap wants a page-aligned offset in the file: map from the page's start.
                let slack = piece.offset % 4096
                let mapped = try MappedMemory(
                    file: piece.file, offset: piece.offset - slack, byteCount: Int(piece.byteCount + slack))
                regions.append(
                    Region(
                        start: piece.start, byteCount: piece.byteCount, frontEndStart: piece.frontEndStart,
                        mapped: mapped, offset: Int(slack)))
            } catch {
                throw .map(start: piece.start, byteCount: piece.byteCount, error)
            }
        }
        self.regions = regions
    }

    /// A part of the guest's memory, as a file that can be mapped. The file is borrowed.
    public struct Piece: Sendable {
        public var start: GuestAddress
        public var byteCount: UInt64
        public var file: Int32
        public var offset: UInt64
        public var frontEndStart: UInt64

        public init(start: GuestAddress, byteCount: UInt64, file: Int32, offset: UInt64 = 0, frontEndStart: UInt64 = 0) {
            self.start = start
            self.byteCount = byteCount
            self.file = file
            self.offset = offset
            self.frontEndStart = frontEndStart
        }
    }

    /// The `byteCount` bytes from `address` on, which must lie in one region.
    @inlinable
    public func slice(at address: GuestAddress, byteCount: UInt64) throws(GuestMemoryError) -> GuestSlice {
        for region in regions where address >= region.start {
            let offset = address.rawValue &- region.start.rawValue
            guard offset < region.byteCount || (offset == region.byteCount && byteCount == 0) else { continue }
            guard byteCount <= region.byteCount &- offset else { break }
            // Offset and count were just held against the region, which is mapped whole.
            return unsafe GuestSlice(
                base: region.mapped.base + region.offset + Int(offset), count: Int(byteCount))
        }
        throw .outOfBounds(address: address, byteCount: byteCount)
    }

    /// The guest address of what the front-end knows as its own virtual address `address` (vhost-user ring
    /// addresses), or nil.
    public func guestAddress(ofFrontEnd address: UInt64) -> GuestAddress? {
        for region in regions where address >= region.frontEndStart && address - region.frontEndStart < region.byteCount {
            return GuestAddress(rawValue: region.start.rawValue + (address - region.frontEndStart))
        }
        return nil
    }
}

/// A shared mapping of a file, unmapped with its last owner.
@usableFromInline
@safe final class MappedMemory: @unchecked Sendable {
    // @unchecked: both fields are constants.
    @usableFromInline let base: UnsafeMutableRawPointer
    let byteCount: Int

    init(file: Int32, offset: UInt64, byteCount: Int) throws(Errno) {
        let address = try syscall(
            __NR_mmap, 0, byteCount, Int(PROT_READ | PROT_WRITE), Int(MAP_SHARED | MAP_NORESERVE), Int(file), Int(offset))
        // A mapping the kernel just made is never at 0.
        unsafe base = UnsafeMutableRawPointer(bitPattern: address)!
        self.byteCount = byteCount
    }

    deinit {
        _ = unsafe cl_syscall(Int(__NR_munmap), base.argument, byteCount, 0, 0, 0, 0)
    }
}
