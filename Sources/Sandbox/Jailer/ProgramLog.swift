// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// The file that holds the jailed programs' log. However much they write, it stays below a limit: it is truncated before it
/// grows beyond, so that the newest lines, which say why a sandbox ended, are always there.
struct ProgramLog {
    /// The most the file holds, in bytes, without what is still in the pipe at the end.
    static let byteLimit = 256 << 10
    /// Taken from the pipe at a time, in bytes: as much as a pipe holds by default.
    static let chunkByteCount = 64 << 10

    private let pipe: BorrowedDescriptor
    private let file: BorrowedDescriptor
    private let limit: Int
    private var byteCount: Int

    init(_ log: JailLog, limit: Int = byteLimit) throws(Errno) {
        pipe = BorrowedDescriptor(rawValue: log.pipe)
        file = BorrowedDescriptor(rawValue: log.file)
        self.limit = limit
        let flags = try syscall(__NR_fcntl, pipe.argument, Int(F_GETFL))
        try syscall(__NR_fcntl, pipe.argument, Int(F_SETFL), flags | Int(O_NONBLOCK))
        byteCount = try syscall(__NR_lseek, file.argument, 0, Int(SEEK_END))
    }

    /// Moves at most a chunk from the pipe to the file. If the file cannot be written, the text is lost and the sandbox
    /// goes on.
    ///
    /// - Returns: whether there was anything to move.
    mutating func move() -> Bool {
        let bytes = (try? pipe.read(upTo: Self.chunkByteCount)) ?? []
        guard !bytes.isEmpty else { return false }
        if byteCount + bytes.count > limit, (try? syscall(__NR_ftruncate, file.argument, 0)) != nil {
            _ = try? syscall(__NR_lseek, file.argument, 0, Int(SEEK_SET))
            let marker = Array("[fc-jailer: earlier lines are left out]\n".utf8)
            try? file.writeAll(marker)
            byteCount = marker.count
        }
        try? file.writeAll(bytes)
        byteCount += bytes.count
        return true
    }

    /// Moves what programs that have ended left in the pipe. It stops at the limit, if one still writes.
    mutating func finish() {
        for _ in 0..<(limit / Self.chunkByteCount) where !move() { return }
    }
}
