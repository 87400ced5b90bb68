// SPDX-License-Identifier: Apache-2.0
import CLinux
import GuestMemory
import Virtio

/// Chains of the driver that wait for frames, as vectors for readv(2), in their order; and a place for what a frame
/// has more than they hold.
@safe final class ReceiveBuffers {
    // The tables are this object's from init to deinit; every index is held against their ends. What the vectors
    // point to are slices of guest memory, which the queue's owner keeps mapped.

    private struct Held {
        var head: UInt16
        var vectorCount: Int
        var byteCount: Int
    }

    private static let overflowCount = NetLimit.header + NetLimit.frame

    private let chainLimit: Int
    private let vectors: UnsafeMutablePointer<cl_iovec>
    private var firstVector = 0
    private var lastVector = 0
    private let chains: UnsafeMutablePointer<Held>
    private var firstChain = 0
    private var lastChain = 0
    private let overflow: UnsafeMutableRawPointer
    /// What all chains hold.
    private(set) var byteCount = 0

    /// - Parameter chainLimit: the queue's size; an honest driver has no more chains outside.
    init(chainLimit: Int) {
        self.chainLimit = chainLimit
        // One vector more than is ever used: the overflow's.
        unsafe vectors = .allocate(capacity: NetLimit.vectors)
        unsafe chains = .allocate(capacity: chainLimit)
        unsafe overflow = .allocate(byteCount: Self.overflowCount, alignment: 16)
    }

    deinit {
        // Made in init, and nobody else's.
        unsafe vectors.deallocate()
        unsafe chains.deallocate()
        unsafe overflow.deallocate()
    }

    var chainCount: Int { lastChain - firstChain }
    var vectorCount: Int { lastVector - firstVector }

    /// Takes `chain` in, behind the others.
    ///
    /// - Returns: false where there is no room for it.
    func append(_ chain: DescriptorChain) -> Bool {
        let count = chain.writable.count
        if lastVector + count >= NetLimit.vectors || lastChain == chainLimit { moveDown() }
        guard lastVector + count < NetLimit.vectors, lastChain < chainLimit else { return false }
        var sum = 0
        for slice in chain.writable {
            // Only for the kernel to write to, and for the header's two fields.
            unsafe slice.withBytes { bytes in
                unsafe vectors[lastVector] = cl_iovec(base: bytes.baseAddress, count: bytes.count)
            }
            lastVector &+= 1
            sum &+= slice.count
        }
        // Below `chainLimit`, as checked.
        unsafe chains[lastChain] = Held(head: chain.head, vectorCount: count, byteCount: sum)
        lastChain &+= 1
        byteCount &+= sum
        return true
    }

    /// All that is held, and then the overflow: what a frame may be read into. Valid until the next change.
    func forReading() -> UnsafeBufferPointer<cl_iovec> {
        // One vector more than is ever used was made for it.
        unsafe vectors[lastVector] = cl_iovec(base: overflow, count: Self.overflowCount)
        return unsafe UnsafeBufferPointer(start: vectors + firstVector, count: vectorCount + 1)
    }

    /// Returns a frame of `byteCount` bytes, which are in the first chains, to the driver.
    ///
    /// - Parameter hasChecksums: whether the driver agreed to frames whose checksum is not that of their bytes; if
    ///   not, the header's flags are none, virtio 1.2 §5.1.6.4.1.
    func complete(_ byteCount: Int, on queue: Virtqueue, hasChecksums: Bool) throws(VirtioError) {
        precondition(byteCount >= NetLimit.header && byteCount <= self.byteCount)
        var left = byteCount
        var count: UInt16 = 0
        while left > 0 {
            // `byteCount` bytes are in the chains that are held.
            let held = unsafe chains[firstChain + Int(count)]
            let used = min(left, held.byteCount)
            try queue.prepareUsed(held.head, byteCount: UInt32(truncatingIfNeeded: used), at: count)
            left &-= used
            count &+= 1
        }
        // num_buffers; the kernel leaves it as it is.
        store(UInt8(truncatingIfNeeded: count), at: 10)
        store(UInt8(truncatingIfNeeded: count >> 8), at: 11)
        if !hasChecksums { store(0, at: 0) }
        try queue.publishUsed(count)
        for _ in 0..<count { dropFirst() }
    }

    /// Copies the overflow's first bytes to where `offset` bytes precede them.
    func fill(from offset: Int, _ count: Int) {
        precondition(offset + count <= byteCount && count <= Self.overflowCount)
        var skip = offset
        var done = 0
        var index = firstVector
        while done < count, index < lastVector {
            // Below `lastVector`.
            let vector = unsafe vectors[index]
            let size = unsafe vector.count
            if skip < size {
                let step = min(size - skip, count - done)
                // Inside a vector, which is a slice of guest memory.
                if let base = unsafe vector.base {
                    unsafe (base + skip).copyMemory(from: overflow + done, byteCount: step)
                }
                done += step
                skip = 0
            } else {
                skip -= size
            }
            index += 1
        }
    }

    /// Forgets everything, for the queue to be rewound by as many chains.
    func removeAll() {
        (firstVector, lastVector, firstChain, lastChain, byteCount) = (0, 0, 0, 0, 0)
    }

    private func dropFirst() {
        // Only where a chain is held.
        let held = unsafe chains[firstChain]
        firstChain &+= 1
        firstVector &+= held.vectorCount
        byteCount &-= held.byteCount
        if firstChain == lastChain { removeAll() }
    }

    /// A byte of the frame's header, which need not lie in one piece.
    private func store(_ byte: UInt8, at offset: Int) {
        var skip = offset
        for index in firstVector..<lastVector {
            // Below `lastVector`, and the byte lies inside the vector.
            let vector = unsafe vectors[index]
            if unsafe skip < vector.count {
                unsafe vector.base?.storeBytes(of: byte, toByteOffset: skip, as: UInt8.self)
                return
            }
            // Read, no more.
            unsafe skip -= vector.count
        }
    }

    private func moveDown() {
        // Down within the same tables.
        unsafe vectors.update(from: vectors + firstVector, count: vectorCount)
        unsafe chains.update(from: chains + firstChain, count: chainCount)
        (firstVector, lastVector) = (0, vectorCount)
        (firstChain, lastChain) = (0, chainCount)
    }
}
