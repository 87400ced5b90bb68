// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

extension Process {
    /// Gives back the memory that this program's code takes: what start-up and rare work had mapped in. What runs next
    /// is mapped again, from the page cache, where it still is. For a process that mostly waits.
    public static func releaseCode() {
        // struct Elf64_Phdr: type 4, flags 4, offset 8, address 8, physical address 8, size in file 8, in memory 8,
        // alignment 8. The kernel tells where those of the running program are, and they stay there.
        let headers = auxiliaryValue(3)  // AT_PHDR
        let count = auxiliaryValue(5)  // AT_PHNUM
        guard headers != 0, count < 64 else { return }
        var base: UInt64?
        for index in 0..<count {
            guard let header = unsafe UnsafeRawPointer(bitPattern: headers + 56 * index) else { return }
            let kind = unsafe header.load(as: UInt32.self)
            let flags = unsafe header.load(fromByteOffset: 4, as: UInt32.self)
            let offset = unsafe header.load(fromByteOffset: 8, as: UInt64.self)
            let address = unsafe header.load(fromByteOffset: 16, as: UInt64.self)
            let byteCount = unsafe header.load(fromByteOffset: 40, as: UInt64.self)
            guard kind == 1 else { continue }
            // The first begins with the file's own header, right behind which these lie.
            if offset == 0 { base = UInt64(headers) - 64 - address }
            // What can be written may have been, and would be lost.
            guard let base, flags & 2 == 0 else { continue }
            let start = (base + address) & ~4095
            let length = base + address + byteCount - start
            _ = cl_syscall(Int(__NR_madvise), Int(start), Int(length), Int(MADV_DONTNEED), 0, 0, 0)
        }
    }

    /// What the kernel told this program of itself when it started, getauxval(3); 0 where it did not.
    private static func auxiliaryValue(_ kind: UInt) -> UInt {
        guard let bytes = try? FileDescriptor.open("/proc/self/auxv").readAll(limit: 4096) else { return 0 }
        return unsafe bytes.withUnsafeBytes { bytes in
            for start in stride(from: 0, to: bytes.count - 15, by: 16)
            where unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt.self) == kind {
                return unsafe bytes.loadUnaligned(fromByteOffset: start + 8, as: UInt.self)
            }
            return 0
        }
    }
}
