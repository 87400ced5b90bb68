// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory

/// The requests that are under way, and the buffers they move: of a fixed number, so that none is ever allocated.
@safe final class TransferTable {
    // The tables are this object's from init to deinit, and every index is held against their size.

    struct Transfer {
        var request: BlockRequest
        /// The buffers that are left: `vectors[firstVector..<vectorCount]` of this transfer's own.
        var firstVector = 0
        var vectorCount = 0
        /// Bytes moved so far.
        var moved: UInt64 = 0
        /// How often the kernel asked to try again, with nothing moved meanwhile.
        var attempts = 0
    }

    static let vectorLimit = Int(BlockLimit.queueSize)

    private let transfers: UnsafeMutablePointer<Transfer?>
    private let vectors: UnsafeMutablePointer<cl_iovec>
    /// The indices that are free: the first `freeCount`. The last freed is the first taken, as its memory is warm.
    private let free: UnsafeMutablePointer<Int>
    private(set) var freeCount: Int
    private let count: Int

    init(count: Int) {
        self.count = count
        // Tables of `count` places each, this object's until deinit.
        unsafe transfers = .allocate(capacity: count)
        unsafe transfers.initialize(repeating: nil, count: count)
        // Pages that are never used are never there: one allocation this large comes from mmap(2).
        unsafe vectors = .allocate(capacity: count * Self.vectorLimit)
        unsafe free = .allocate(capacity: count)
        for index in 0..<count { unsafe (free + index).initialize(to: count - 1 - index) }
        freeCount = count
    }

    deinit {
        // Made in init; no transfer is under way any more.
        unsafe transfers.deinitialize(count: count)
        unsafe transfers.deallocate()
        unsafe vectors.deallocate()
        // As above.
        unsafe free.deallocate()
    }

    var isEmpty: Bool { freeCount == count }

    /// A place for `request`; only where ``freeCount`` is not 0.
    func add(_ request: BlockRequest) -> Int {
        precondition(freeCount > 0)
        freeCount &-= 1
        // Below `count`, as all that is in `free`.
        let index = unsafe free[freeCount]
        unsafe transfers[index] = Transfer(request: request)
        return index
    }

    func remove(_ index: Int) {
        check(index)
        // The index was checked.
        unsafe transfers[index] = nil
        unsafe free[freeCount] = index
        freeCount &+= 1
    }

    subscript(index: Int) -> Transfer {
        get {
            check(index)
            // The index was checked.
            guard let transfer = unsafe transfers[index] else { preconditionFailure("no transfer \(index)") }
            return transfer
        }
        set {
            check(index)
            // The index was checked.
            unsafe transfers[index] = newValue
        }
    }

    /// Makes the transfer's vectors of `byteCount` bytes of `slices`, from `start` on.
    ///
    /// - Returns: false where they are more than the limit that the driver was told.
    func aim(_ index: Int, at slices: [GuestSlice], from start: Int, byteCount: UInt64) -> Bool {
        check(index)
        // The transfer's own `vectorLimit` vectors; the index was checked.
        let own = unsafe vectors + index * Self.vectorLimit
        var skip = start
        var left = Int(byteCount)
        var used = 0
        for slice in slices where left > 0 {
            if skip >= slice.count {
                skip &-= slice.count
                continue
            }
            guard used < Self.vectorLimit else { return false }
            let count = min(left, slice.count &- skip)
            // The slice holds `skip` and `count` more bytes; the kernel alone uses the address.
            unsafe slice.withBytes { bytes in
                unsafe own[used] = cl_iovec(base: bytes.baseAddress.map { unsafe $0 + skip }, count: count)
            }
            used &+= 1
            left &-= count
            skip = 0
        }
        // The index was checked.
        unsafe transfers[index]?.vectorCount = used
        return left == 0
    }

    /// Leaves out what has been moved.
    func advance(_ index: Int, by byteCount: UInt64) {
        var transfer = self[index]
        transfer.moved &+= byteCount
        transfer.attempts = 0
        var left = Int(byteCount)
        while left > 0, transfer.firstVector < transfer.vectorCount {
            // One of the transfer's own, below its `vectorCount`; no step is longer than the vector.
            let vector = unsafe vectors + (index * Self.vectorLimit + transfer.firstVector)
            let step = unsafe min(left, vector.pointee.count)
            if unsafe step == vector.pointee.count {
                transfer.firstVector &+= 1
            } else {
                // Still inside the slice that the vector is of.
                unsafe vector.pointee.base = vector.pointee.base.map { unsafe $0 + step }
                unsafe vector.pointee.count -= step
            }
            left &-= step
        }
        self[index] = transfer
    }

    /// What is left to move, for the kernel. Valid until the transfer is removed.
    func vectors(of index: Int) -> UnsafeBufferPointer<cl_iovec> {
        let transfer = self[index]
        // The transfer's own vectors, of which `vectorCount` are filled.
        return unsafe UnsafeBufferPointer(
            start: vectors + (index * Self.vectorLimit + transfer.firstVector),
            count: transfer.vectorCount - transfer.firstVector)
    }

    @inline(__always)
    private func check(_ index: Int) { precondition(index >= 0 && index < count) }
}
