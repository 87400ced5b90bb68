import CLinux
import Glibc
import Linux

/// Copies a guest's console to its log, on a thread of its own, until the console ends or the machine has.
final class ConsoleRelay: @unchecked Sendable {
    // @unchecked: made by one thread, then handed to its own, which alone uses it but for `stop`.
    private let console: FileDescriptor
    private let file: FileDescriptor
    private let epoll: Epoll
    private let stop: EventFD
    private var log: ConsoleLog
    private let clock = ContinuousClock()
    private let beginning: ContinuousClock.Instant

    private enum Token {
        static let stop: UInt64 = 0
        static let console: UInt64 = 1
    }

    /// - Parameter file: a regular file; the console is added at its end.
    init(console: consuming FileDescriptor, file: consuming FileDescriptor) throws(VMMError) {
        do {
            try console.setNonBlocking(true)
            // Writes to a place of their own would go to the end all the same, pwrite(2).
            let flags = try syscall(__NR_fcntl, Int(file.rawValue), Int(F_GETFL))
            try syscall(__NR_fcntl, Int(file.rawValue), Int(F_SETFL), flags & ~Int(O_APPEND))
            log = ConsoleLog(start: UInt64(try syscall(__NR_lseek, Int(file.rawValue), 0, Int(SEEK_END))))
            epoll = try Epoll()
            stop = try EventFD()
            try epoll.add(stop.descriptor.rawValue, .readable, token: Token.stop)
            try epoll.add(console.rawValue, .readable, token: Token.console)
        } catch {
            throw .prepare(operation: "console log", error)
        }
        self.console = console
        self.file = file
        beginning = clock.now
    }

    /// Ends ``run()`` once what the console holds by then is in the log.
    func end() { stop.signal() }

    /// Copies. A log that cannot be written is no reason to end the machine: its bytes are lost.
    func run() {
        var isOpen = true
        while isOpen {
            guard let events = try? epoll.wait(milliseconds: timeout) else { break }
            let stopped = events.contains { $0.token == Token.stop }
            if events.contains(where: { $0.token == Token.console }) { isOpen = copy() }
            if stopped {
                while isOpen, copy(untilEmpty: true) {}
                isOpen = false
            }
            if let deadline = log.deadline, deadline <= now { write(log.flush(now: now)) }
        }
        write(log.flush(now: now))
    }

    /// One read's worth.
    ///
    /// - Returns: whether the console goes on; for `untilEmpty`, whether there may be more now.
    private func copy(untilEmpty: Bool = false) -> Bool {
        do throws(Errno) {
            let bytes = try console.read(upTo: 16384)
            write(log.take(bytes, now: now))
            return !bytes.isEmpty
        } catch {
            return error == .wouldBlock && !untilEmpty
        }
    }

    private func write(_ write: ConsoleLog.Write?) {
        guard let write else { return }
        var start = 0
        while start < write.bytes.count {
            // The array outlives the call, which reads within its bounds.
            let count = unsafe write.bytes.withUnsafeBytes {
                cl_syscall(
                    Int(__NR_pwrite64), Int(file.rawValue), Int(bitPattern: $0.baseAddress) + start,
                    $0.count - start, Int(write.offset) + start, 0, 0)
            }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { return }
            start += count
        }
    }

    private var now: Duration { beginning.duration(to: clock.now) }

    private var timeout: Int32 {
        guard let deadline = log.deadline else { return -1 }
        let left = max(.zero, deadline - now).components
        return Int32(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
    }
}
