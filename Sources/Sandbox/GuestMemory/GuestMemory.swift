// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What can be wrong with an address that a guest names, or with memory that a front-end hands over.
public enum GuestMemoryError: Error, Equatable {
    /// `byteCount` bytes from `address` on do not lie in one region of the guest's memory.
    case outOfBounds(address: GuestAddress, byteCount: UInt64)
    /// An access inside a slice of `count` bytes went past its end.
    case outsideSlice(offset: Int, byteCount: Int, count: Int)
    /// Two regions overlap, or one wraps around or is empty.
    case badRegion(start: GuestAddress, byteCount: UInt64)
    /// The file of a region is no regular one, or ends before the region does: touching what is missing would
    /// be a SIGBUS.
    case fileTooShort(start: GuestAddress, byteCount: UInt64)
    /// mmap(2) or fstat(2) of a region failed.
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
        /// Where the guest has it.
        public let start: GuestAddress
        /// A whole number of pages.
        public let byteCount: UInt64
        /// Where a vhost-user front-end has the same bytes in its own address space; 0 if there is none.
        public let frontEndStart: UInt64
        let mapped: MappedMemory
        let offset: Int

        /// Where the region is mapped in this process: for the kernel (KVM_SET_USER_MEMORY_REGION, madvise(2)),
        /// never to be read through here.
        public var hostAddress: UInt64 { unsafe UInt64(UInt(bitPattern: mapped.base)) + UInt64(offset) }
    }

    /// A region as the hot path reads it: plain numbers, nothing to retain. `regions` keeps it mapped.
    @usableFromInline
    @safe struct Window {
        @usableFromInline let start: UInt64
        @usableFromInline let byteCount: UInt64
        @usableFromInline let base: UnsafeMutableRawPointer

        init(_ region: Region) {
            start = region.start.rawValue
            byteCount = region.byteCount
            unsafe base = region.mapped.base + region.offset
        }
    }

    /// By address.
    public let regions: [Region]
    @usableFromInline let windows: [Window]

    /// Memory described piece by piece, each `byteCount` bytes of `file` from `offset` on, mapped shared. The
    /// files may be closed afterwards.
    public convenience init(_ pieces: [Piece]) throws(GuestMemoryError) {
        var regions: [Region] = []
        for piece in pieces { regions.append(try Region(mapping: piece)) }
        try self.init(regions)
    }

    /// Memory of regions that are mapped already, none overlapping another.
    private init(_ regions: [Region]) throws(GuestMemoryError) {
        let sorted = regions.sorted { $0.start < $1.start }
        for (lower, upper) in zip(sorted, sorted.dropFirst())
        where upper.start.rawValue - lower.start.rawValue < lower.byteCount {
            throw .badRegion(start: upper.start, byteCount: upper.byteCount)
        }
        self.regions = sorted
        windows = sorted.map { Window($0) }
    }

    /// This memory and one more region; the others stay mapped where they are.
    public func adding(_ piece: Piece) throws(GuestMemoryError) -> GuestMemory {
        try GuestMemory(regions + [try Region(mapping: piece)])
    }

    /// This memory without the region that has exactly these bounds, or nil if no region has.
    public func removing(start: GuestAddress, byteCount: UInt64, frontEndStart: UInt64) -> GuestMemory? {
        guard
            let index = regions.firstIndex(where: {
                $0.start == start && $0.byteCount == byteCount && $0.frontEndStart == frontEndStart
            })
        else { return nil }
        var rest = regions
        rest.remove(at: index)
        // What did not overlap does not now.
        return try? GuestMemory(rest)
    }

    /// How many regions there are.
    public var regionCount: Int { regions.count }

    /// A part of the guest's memory, as a file that can be mapped. The file is borrowed.
    public struct Piece: Sendable {
        /// Where the guest has it.
        public var start: GuestAddress
        /// Of the piece.
        public var byteCount: UInt64
        /// Open for reading and writing; the caller's.
        public var file: BorrowedDescriptor
        /// Of the piece's first byte in the file.
        public var offset: UInt64
        /// Where a vhost-user front-end has it, which ring addresses are then given in.
        public var frontEndStart: UInt64

        /// Nothing is mapped yet: ``GuestMemory/init(_:)`` does that.
        public init(
            start: GuestAddress, byteCount: UInt64, file: BorrowedDescriptor, offset: UInt64 = 0,
            frontEndStart: UInt64 = 0
        ) {
            self.start = start
            self.byteCount = byteCount
            self.file = file
            self.offset = offset
            self.frontEndStart = frontEndStart
        }
    }

    /// The `byteCount` bytes from `address` on, which must lie in one region.
    @inlinable @inline(__always)
    public func slice(at address: GuestAddress, byteCount: UInt64) throws(GuestMemoryError) -> GuestSlice {
        for window in windows where address.rawValue >= window.start {
            let offset = address.rawValue &- window.start
            if offset < window.byteCount {
                guard byteCount <= window.byteCount &- offset else { break }
                // Offset and count were just held against the region, which is mapped whole.
                return unsafe GuestSlice(base: window.base + Int(offset), count: Int(byteCount))
            }
        }
        throw .outOfBounds(address: address, byteCount: byteCount)
    }

    /// The guest address of what the front-end knows as its own virtual address `address` (vhost-user ring
    /// addresses), or nil.
    public func guestAddress(ofFrontEnd address: UInt64) -> GuestAddress? {
        for region in regions where address >= region.frontEndStart && address - region.frontEndStart < region.byteCount
        {
            return GuestAddress(rawValue: region.start.rawValue + (address - region.frontEndStart))
        }
        return nil
    }
}
