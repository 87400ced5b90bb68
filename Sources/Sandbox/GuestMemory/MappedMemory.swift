// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

extension GuestMemory.Region {
    /// Maps what `piece` describes.
    init(mapping piece: GuestMemory.Piece) throws(GuestMemoryError) {
        let limit = UInt64(Int.max) / 2
        guard piece.byteCount > 0, piece.byteCount <= limit, piece.offset <= limit,
            piece.start.advanced(by: piece.byteCount) != nil
        else { throw .badRegion(start: piece.start, byteCount: piece.byteCount) }
        do {
            guard try regularFileSize(piece.file) >= piece.offset + piece.byteCount else {
                throw GuestMemoryError.fileTooShort(start: piece.start, byteCount: piece.byteCount)
            }
            // mmap wants a page-aligned offset in the file: map from the page's start.
            let slack = piece.offset % 4096
            self.init(
                start: piece.start, byteCount: piece.byteCount, frontEndStart: piece.frontEndStart,
                mapped: try MappedMemory(
                    file: piece.file, offset: piece.offset - slack, byteCount: Int(piece.byteCount + slack)),
                offset: Int(slack))
        } catch let error as Errno {
            throw .map(start: piece.start, byteCount: piece.byteCount, error)
        } catch {
            throw .fileTooShort(start: piece.start, byteCount: piece.byteCount)
        }
    }
}

/// The size of a regular file, in bytes; 0 for anything else.
private func regularFileSize(_ file: BorrowedDescriptor) throws(Errno) -> UInt64 {
    var status = stat()
    try unsafe withUnsafeMutablePointer(to: &status) { (pointer) throws(Errno) in
        _ = unsafe try syscall(__NR_fstat, file.argument, pointer.argument)
    }
    return status.st_mode & S_IFMT == S_IFREG ? UInt64(max(0, status.st_size)) : 0
}

/// A shared mapping of a file, unmapped with its last owner.
@safe final class MappedMemory: @unchecked Sendable {
    // @unchecked: both fields are constants.
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    init(file: BorrowedDescriptor, offset: UInt64, byteCount: Int) throws(Errno) {
        let address = try syscall(
            __NR_mmap, 0, byteCount, Int(PROT_READ | PROT_WRITE), Int(MAP_SHARED | MAP_NORESERVE), file.argument,
            Int(offset))
        // A mapping the kernel just made is never at 0.
        unsafe base = UnsafeMutableRawPointer(bitPattern: address)!
        self.byteCount = byteCount
    }

    deinit {
        _ = unsafe cl_syscall(Int(__NR_munmap), base.argument, byteCount, 0, 0, 0, 0)
    }
}
