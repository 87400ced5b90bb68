// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import GuestMemory
import Linux

/// A file a guest is booted from, borrowed: its size is known, and reads go where the bytes are to lie.
struct ImageFile {
    let name: BootFile
    let descriptor: BorrowedDescriptor
    /// More than 0.
    let byteCount: UInt64

    init(_ name: BootFile, _ descriptor: BorrowedDescriptor) throws(BootError) {
        self.name = name
        self.descriptor = descriptor
        var isRegular = false
        var size = 0
        do throws(Errno) {
            isRegular = try FileNode.status(of: descriptor).isRegularFile
            if isRegular { size = try syscall(__NR_lseek, descriptor.argument, 0, Int(SEEK_END)) }
        } catch {
            throw .status(name, error)
        }
        guard isRegular else { throw .notRegularFile(name) }
        guard size > 0 else { throw .emptyFile(name) }
        byteCount = UInt64(size)
    }

    /// Whether the file has `byteCount` bytes from `offset` on.
    func has(_ byteCount: UInt64, at offset: UInt64) -> Bool {
        offset <= self.byteCount && byteCount <= self.byteCount - offset
    }

    func check(_ byteCount: UInt64, at offset: UInt64) throws(BootError) {
        guard has(byteCount, at: offset) else { throw .truncated(name, offset: offset, byteCount: byteCount) }
    }

    /// A header: few bytes.
    func bytes(at offset: UInt64, byteCount: Int) throws(BootError) -> [UInt8] {
        try check(UInt64(byteCount), at: offset)
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var done = 0
        while done < byteCount {
            // The array is not touched elsewhere while the kernel fills it.
            let result = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe cl_syscall(
                    Int(__NR_pread64), descriptor.argument, buffer.argument + done, byteCount - done,
                    Int(offset) + done, 0, 0)
            }
            if result == -Int(EINTR) { continue }
            done += try progress(result, at: offset + UInt64(done), of: UInt64(byteCount - done))
        }
        return bytes
    }

    /// What a transfer answered, held to be one that went on.
    func progress(_ result: Int, at offset: UInt64, of byteCount: UInt64) throws(BootError) -> Int {
        if result < 0 {
            throw .read(name, offset: offset, byteCount: byteCount, Errno(rawValue: Int32(truncatingIfNeeded: -result)))
        }
        // The size was checked: the file has been truncated since.
        guard result > 0 else { throw .truncated(name, offset: offset, byteCount: byteCount) }
        return result
    }

    /// The next run of data between two offsets, the second not beyond the end of the file; nil behind the last one.
    /// What lies between runs are holes, which read as zeros, as fresh guest memory does: they take no time and no
    /// memory. Where the file system knows of no holes, all is one run.
    func nextData(from offset: UInt64, end: UInt64) throws(BootError) -> Range<UInt64>? {
        guard offset < end else { return nil }
        let start = cl_syscall(Int(__NR_lseek), descriptor.argument, Int(offset), Int(CL_SEEK_DATA), 0, 0, 0)
        if start == -Int(ENXIO) {
            // No data up to the end of the file, which must still be where it was.
            let size = cl_syscall(Int(__NR_lseek), descriptor.argument, 0, Int(SEEK_END), 0, 0, 0)
            guard size >= Int(end) else { throw .truncated(name, offset: offset, byteCount: end - offset) }
            return nil
        }
        guard start >= 0 else { return offset..<end }
        guard UInt64(start) < end else { return nil }
        let hole = cl_syscall(Int(__NR_lseek), descriptor.argument, start, Int(CL_SEEK_HOLE), 0, 0, 0)
        return UInt64(start)..<(hole > start ? min(UInt64(hole), end) : end)
    }
}
