// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// The file that a guest's console goes to, bounded as ``ConsoleLog`` says. One thread's at a time.
///
/// A log that cannot be written is no reason to end the machine: its bytes are lost.
struct ConsoleFile: ~Copyable {
    private let file: FileDescriptor
    private var log: ConsoleLog

    /// - Parameter file: a regular file; the console is added at its end.
    init(_ file: consuming FileDescriptor) throws(Errno) {
        // Writes to a place of their own would go to the end all the same, pwrite(2).
        let flags = try syscall(__NR_fcntl, file.borrowed.argument, Int(F_GETFL))
        try syscall(__NR_fcntl, file.borrowed.argument, Int(F_SETFL), flags & ~Int(O_APPEND))
        let end = try syscall(__NR_lseek, file.borrowed.argument, 0, Int(SEEK_END))
        log = ConsoleLog(start: UInt64(end))
        self.file = file
    }

    /// Adds what the guest wrote.
    mutating func add(_ bytes: [UInt8], now: Duration) { write(log.take(bytes, now: now)) }

    /// When ``passTime(now:)`` has something to do, if ever.
    var deadline: Duration? { log.deadline }

    /// Writes what was kept back for long enough.
    mutating func passTime(now: Duration) {
        if let deadline = log.deadline, deadline <= now { finish(now: now) }
    }

    /// Writes all that was kept back.
    mutating func finish(now: Duration) { write(log.flush(now: now)) }

    private borrowing func write(_ write: ConsoleLog.Write?) {
        guard let write else { return }
        var start = 0
        while start < write.bytes.count {
            // The array outlives the call, which reads within its bounds.
            let count = unsafe write.bytes.withUnsafeBytes {
                cl_syscall(
                    Int(__NR_pwrite64), file.borrowed.argument, Int(bitPattern: $0.baseAddress) + start,
                    $0.count - start, Int(write.offset) + start, 0, 0)
            }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { return }
            start += count
        }
    }
}
