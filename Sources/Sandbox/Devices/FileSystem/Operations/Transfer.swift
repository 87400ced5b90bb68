// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import GuestMemory
import Linux

/// READ and WRITE: the kernel moves the bytes between the file and the guest's memory, with no copy here and
/// no lock held.
extension FileServer {
    func read(_ exchange: Exchange) throws(Errno) {
        let handle = try handles.file(try exchange.load(UInt64.self, at: 0))
        let offset = try exchange.load(UInt64.self, at: 8)
        let size = Int(try exchange.load(UInt32.self, at: 16))
        guard offset <= UInt64(Int64.max) - (1 << 32) else { throw .invalidArgument }
        let wanted = min(size, Int(Self.transferLimit), exchange.directRoom)
        exchange.wroteDirectly(
            try exchange.transfer(exchange.chain.writable, skipping: WireSize.replyHeader, count: wanted) {
                (vectors, count, done) throws(Errno) in
                if handle.tellsOfWaiting.load(ordering: .relaxed) {
                    // What is in the host's cache comes at once; else another worker serves while this waits.
                    let moved = cl_syscall(
                        Int(__NR_preadv2), handle.borrowed.argument, vectors, count, Int(offset) + done, 0,
                        Int(CL_RWF_NOWAIT))
                    if moved >= 0 { return moved }
                    if moved == -Int(EAGAIN) {
                        exchange.beforeWaiting()
                    } else {
                        handle.tellsOfWaiting.store(false, ordering: .relaxed)
                    }
                }
                return try syscall(__NR_preadv, handle.borrowed.argument, vectors, count, Int(offset) + done)
            })
    }

    func write(_ exchange: Exchange) throws(Errno) {
        let handle = try handles.file(try exchange.load(UInt64.self, at: 0))
        let offset = try exchange.load(UInt64.self, at: 8)
        let size = Int(try exchange.load(UInt32.self, at: 16))
        let writeFlags = try exchange.load(UInt32.self, at: 20)
        let fileFlags = Int32(bitPattern: try exchange.load(UInt32.self, at: 32))
        guard offset <= UInt64(Int64.max) - (1 << 32) else { throw .invalidArgument }
        guard size <= Int(Self.transferLimit) else { throw .invalidArgument }
        let skipped = WireSize.requestHeader + WireSize.writeRequest
        guard size <= exchange.chain.readableCount - skipped else { throw .invalidArgument }
        try exchange.credentials.keepSetID(writeFlags & RequestFlag.writeKillSetID == 0)
        // Appending is atomic among all writers, but pages of the guest's cache have a place of their own.
        let appends = fileFlags & O_APPEND != 0 && writeFlags & RequestFlag.writeCache == 0
        let written = try exchange.transfer(exchange.chain.readable, skipping: skipped, count: size) {
            (vectors, count, done) throws(Errno) in
            appends
                ? try syscall(
                    __NR_pwritev2, handle.borrowed.argument, vectors, count, Int(offset) + done, 0, Int(CL_RWF_APPEND))
                : try syscall(__NR_pwritev, handle.borrowed.argument, vectors, count, Int(offset) + done)
        }
        exchange.put(UInt32(written))
        exchange.put(UInt32(0))
    }
}

extension Exchange {
    /// Moves `count` bytes of `slices`, from the byte `skipped` on, with `body`: preadv(2) or its like, which
    /// is given the vectors' address, their number, and how many bytes went before.
    ///
    /// - Returns: the bytes moved: fewer at the end of the file, or where an error came after some.
    func transfer(
        _ slices: [GuestSlice], skipping skipped: Int, count: Int,
        _ body: (_ vectors: Int, _ count: Int, _ done: Int) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var done = 0
        while done < count || count == 0 {
            let vectorCount = gatherVectors(slices, from: skipped + done, count: count - done)
            let moved: Int
            do {
                // The kernel reads `vectorCount` vectors, which are filled.
                moved = try unsafe body(Int(bitPattern: vectors.baseAddress), vectorCount, done)
            } catch  where error == .interrupted {
                continue
            } catch {
                if done > 0 { break }
                throw error
            }
            done += moved
            // Nothing more: the end of the file, or no more space. Fewer than asked for may just have been at
            // hand. An empty transfer is made once, for what it checks.
            if moved == 0 || count == 0 { break }
        }
        return done
    }

    /// Fills the vectors with up to `count` bytes of `slices` from the byte `start` on.
    ///
    /// - Returns: how many vectors there are.
    private func gatherVectors(_ slices: [GuestSlice], from start: Int, count: Int) -> Int {
        var position = 0
        var used = 0
        var total = 0
        for slice in slices {
            if total == count || used == Self.vectorLimit { break }
            let next = position + slice.count
            if start + total < next {
                let from = start + total - position
                let byteCount = min(slice.count - from, count - total)
                // The kernel alone uses the address, while the guest's memory is held.
                unsafe slice.withBytes { bytes in
                    // In the slice's bounds; the guest's memory outlives the request.
                    unsafe vectors[used] = cl_iovec(base: bytes.baseAddress! + from, count: byteCount)
                }
                used += 1
                total += byteCount
            }
            position = next
        }
        return used
    }
}
