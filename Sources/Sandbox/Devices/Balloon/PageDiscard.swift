// SPDX-License-Identifier: Apache-2.0
internal import CLinux
internal import Glibc
internal import GuestMemory
internal import Virtio

/// Gives memory of the guest back to the host: the page and what it holds are gone, for every process that maps
/// it, and the next access finds a page of zeros.
struct PageDiscard {
    let memory: GuestMemory
    let state: BalloonState
    /// What was done, about in microseconds: so that a turn can end.
    private(set) var effort = 0
    /// Room for the numbers of one chain.
    private var pages: [UInt32] = []

    /// The page numbers that are read of one chain; the rest is left with the guest, which loses nothing by it.
    static let pageLimit = 4096

    init(memory: GuestMemory, state: BalloonState) {
        self.memory = memory
        self.state = state
    }

    mutating func beginTurn() { effort = 0 }

    /// Discards the pages whose numbers stand in `slices`, 32 bits each, in as few ranges as they make.
    mutating func discard(numberedIn slices: [GuestSlice]) {
        pages.removeAll(keepingCapacity: true)
        let bytes = slices.bytes(upTo: 4 * Self.pageLimit)
        for start in stride(from: 0, through: bytes.count - 4, by: 4) {
            pages.append((0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * $1) })
        }
        pages.sort()
        effort += 1 + pages.count / 16
        var start = 0
        while start < pages.count {
            var end = start + 1
            // A number that stands there twice is one page.
            while end < pages.count, pages[end] - pages[end - 1] <= 1 { end += 1 }
            discard(from: UInt64(pages[start]), count: UInt64(pages[end - 1] - pages[start]) + 1)
            start = end
        }
    }

    /// Discards the whole pages in `slice`.
    ///
    /// - Returns: the bytes discarded.
    @discardableResult
    mutating func discard(_ slice: GuestSlice) -> Int {
        let page = Int(BalloonDevice.pageByteCount)
        // Numbers for madvise(2), of memory that is held.
        let (address, count) = unsafe slice.withBytes { bytes in
            // Inwards: what lies around is not given away.
            let first = unsafe (bytes.argument + page - 1) & ~(page - 1)
            let end = unsafe (bytes.argument + bytes.count) & ~(page - 1)
            return (first, max(0, end - first))
        }
        guard count > 0 else { return 0 }
        effort += 1 + count / (256 * 1024)
        // The memory is a shared file: MADV_DONTNEED would only unmap it. The monitor keeps none of its contents.
        guard cl_syscall(Int(__NR_madvise), address, count, Int(MADV_REMOVE), 0, 0, 0) == 0 else {
            state.failedDiscards.add()
            return 0
        }
        return count
    }

    /// Discards what lies in the guest's memory of `count` pages from page `first` on.
    private mutating func discard(from first: UInt64, count: UInt64) {
        // Numbers have 32 bits, so no sum wraps.
        let start = first * BalloonDevice.pageByteCount
        let end = start + count * BalloonDevice.pageByteCount
        var present: UInt64 = 0
        for region in memory.regions {
            let lower = max(start, region.start.rawValue)
            let upper = min(end, region.start.rawValue + region.byteCount)
            guard lower < upper,
                let slice = try? memory.slice(at: GuestAddress(rawValue: lower), byteCount: upper - lower)
            else { continue }
            present += (upper - lower) / BalloonDevice.pageByteCount
            state.inflatedPages.add(UInt64(discard(slice)) / BalloonDevice.pageByteCount)
        }
        state.refusedPages.add(count - min(count, present))
    }
}

extension [GuestSlice] {
    /// A copy of the first bytes, at most `limit`, of these buffers one after the other.
    func bytes(upTo limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for slice in self where bytes.count < limit {
            // Not longer than the slice.
            guard let part = try? slice.part(from: 0, byteCount: Swift.min(slice.count, limit - bytes.count)) else {
                break
            }
            bytes += part.bytes()
        }
        return bytes
    }
}
