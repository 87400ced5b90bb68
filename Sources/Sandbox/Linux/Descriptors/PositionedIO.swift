// SPDX-License-Identifier: Apache-2.0
public import CLinux

/// Calls on an open file at a place of the caller's, which the file's own position has nothing to do with.
///
/// Each answers what the kernel did: a result, or -errno, as an ``IORing`` does for the same request.
public enum PositionedIO {
    /// preadv(2) into `vectors`, which must be valid for the call.
    public static func read(
        _ file: BorrowedDescriptor, into vectors: UnsafeBufferPointer<cl_iovec>, at offset: UInt64
    ) -> Int {
        cl_syscall(
            Int(__NR_preadv), file.argument, Int(bitPattern: vectors.baseAddress), vectors.count, Int(offset), 0, 0)
    }

    /// pwritev2(2) from `vectors`, which must be valid for the call.
    ///
    /// - Parameter isDurable: return when the data has reached the storage (RWF_DSYNC).
    public static func write(
        _ file: BorrowedDescriptor, from vectors: UnsafeBufferPointer<cl_iovec>, at offset: UInt64,
        isDurable: Bool = false
    ) -> Int {
        cl_syscall(
            Int(__NR_pwritev2), file.argument, Int(bitPattern: vectors.baseAddress), vectors.count, Int(offset), 0,
            isDurable ? Int(CL_RWF_DSYNC) : 0)
    }

    /// fdatasync(2).
    public static func synchronize(_ file: BorrowedDescriptor) -> Int { answer(__NR_fdatasync, file.argument) }

    /// fallocate(2) with the FALLOC_FL_ bits `mode`.
    public static func allocate(
        _ file: BorrowedDescriptor, mode: Int32, at offset: UInt64, byteCount: UInt64
    ) -> Int {
        answer(__NR_fallocate, file.argument, Int(mode), Int(offset), Int(byteCount))
    }

    /// BLKDISCARD of a block device, which may read anything afterwards.
    public static func discard(_ file: BorrowedDescriptor, at offset: UInt64, byteCount: UInt64) -> Int {
        var range = (offset, byteCount)
        return unsafe withUnsafePointer(to: &range) { unsafe answer(__NR_ioctl, file.argument, 0x1277, $0.argument) }
    }

    /// A number of four bytes that a block device tells, as BLKSSZGET or BLKPBSZGET.
    public static func blockDeviceProperty(_ request: Int, of file: BorrowedDescriptor) throws(Errno) -> UInt32 {
        var value: UInt32 = 0
        try checked(
            unsafe withUnsafeMutablePointer(to: &value) {
                unsafe answer(__NR_ioctl, file.argument, request, $0.argument)
            })
        return value
    }
}
