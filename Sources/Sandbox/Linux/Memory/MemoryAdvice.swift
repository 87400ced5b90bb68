// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Advice on another process's memory, process_madvise(2). Addresses are whole pages.
public enum MemoryAdvice {
    /// MADV_WILLNEED: reads what is missing of the file behind the addresses into memory. It is charged to the caller's
    /// cgroup. The kernel begins some reads and waits for none.
    public static func willNeed(_ addresses: Range<UInt>, of pidfd: BorrowedDescriptor) throws(Errno) {
        try advise(addresses, of: pidfd, Int(MADV_WILLNEED))
    }

    /// MADV_PAGEOUT: takes the pages from memory as far as no other process has them mapped, and with them the charge.
    public static func pageOut(_ addresses: Range<UInt>, of pidfd: BorrowedDescriptor) throws(Errno) {
        try advise(addresses, of: pidfd, Int(MADV_PAGEOUT))
    }

    private static func advise(
        _ addresses: Range<UInt>, of pidfd: BorrowedDescriptor, _ advice: Int
    ) throws(Errno) {
        var range = unsafe cl_iovec()
        unsafe range.base = UnsafeMutableRawPointer(bitPattern: addresses.lowerBound)
        unsafe range.count = addresses.count
        try unsafe withUnsafePointer(to: &range) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_process_madvise, pidfd.argument, pointer.argument, 1, advice, 0)
        }
    }
}
