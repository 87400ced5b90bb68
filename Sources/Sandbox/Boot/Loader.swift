// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import GuestMemory
import Linux

/// Brings parts of files into guest memory, each byte moved once, by the kernel.
struct Loader {
    let memory: GuestMemory
    /// The file that backs low memory from its first byte on, where the caller has it open for writing.
    let backing: BorrowedDescriptor?

    /// Loads `byteCount` bytes of `file` from `offset` on to `address`. Holes of the file are left out: guest memory is
    /// fresh, and reads as zeros there already.
    func load(_ file: ImageFile, from offset: UInt64, byteCount: UInt64, to address: UInt64) throws(BootError) {
        try file.check(byteCount, at: offset)
        let end = offset + byteCount
        var position = offset
        while let run = try file.nextData(from: position, end: end) {
            let target = address + (run.lowerBound - offset)
            if let backing {
                try send(file, run, into: backing, at: target)
            } else {
                try read(file, run, to: target)
            }
            position = run.upperBound
        }
    }

    /// pread(2) into the mapping: a page fault a page, each page zeroed before it is filled.
    private func read(_ file: ImageFile, _ run: Range<UInt64>, to address: UInt64) throws(BootError) {
        let slice: GuestSlice
        do throws(GuestMemoryError) {
            slice = try memory.slice(at: GuestAddress(rawValue: address), byteCount: UInt64(run.count))
        } catch {
            throw .memory(error)
        }
        var done = 0
        while done < slice.count {
            let (start, left) = (Int(run.lowerBound) + done, slice.count - done)
            // The slice is of this size, and the kernel writes no more than asked for.
            let result = unsafe slice.withBytes { bytes in
                unsafe cl_syscall(Int(__NR_pread64), file.descriptor.argument, bytes.argument + done, left, start, 0, 0)
            }
            if result == -Int(EINTR) { continue }
            done += try file.progress(result, at: UInt64(start), of: UInt64(left))
        }
    }

    /// sendfile(2) into the file behind the memory: from page cache to page cache, at little more than half of what
    /// pread costs, as no page is mapped and none is zeroed first.
    private func send(
        _ file: ImageFile, _ run: Range<UInt64>, into backing: BorrowedDescriptor, at address: UInt64
    ) throws(BootError) {
        let sought = cl_syscall(Int(__NR_lseek), backing.argument, Int(address), Int(SEEK_SET), 0, 0, 0)
        if sought < 0 { throw failure(sought, file, run.lowerBound, UInt64(run.count)) }
        // The kernel moves it on by what was sent.
        var position = Int64(run.lowerBound)
        while position < run.upperBound {
            let (start, left) = (UInt64(position), run.upperBound - UInt64(position))
            // sendfile(2) moves the number on and keeps no address.
            let result = unsafe withUnsafeMutablePointer(to: &position) { pointer in
                unsafe cl_syscall(
                    Int(__NR_sendfile), backing.argument, file.descriptor.argument, pointer.argument, Int(left), 0, 0)
            }
            if result == -Int(EINTR) { continue }
            if result < 0 { throw failure(result, file, start, left) }
            _ = try file.progress(result, at: start, of: left)
        }
    }

    private func failure(_ answer: Int, _ file: ImageFile, _ offset: UInt64, _ byteCount: UInt64) -> BootError {
        .send(file.name, offset: offset, byteCount: byteCount, Errno(rawValue: Int32(truncatingIfNeeded: -answer)))
    }
}
