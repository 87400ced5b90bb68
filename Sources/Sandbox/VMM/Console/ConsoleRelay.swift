// SPDX-License-Identifier: Apache-2.0
import Linux

/// Copies a guest's console to its log, on a thread of its own, until the console ends or the machine has.
final class ConsoleRelay: @unchecked Sendable {
    // @unchecked: made by one thread, then handed to its own, which alone uses it, except for `stop`.
    private let console: FileDescriptor
    private let epoll: Epoll
    private let stop: EventFD
    private var file: ConsoleFile
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
            self.file = try ConsoleFile(file)
            epoll = try Epoll()
            stop = try EventFD()
            try epoll.add(stop.descriptor.borrowed, .readable, token: Token.stop)
            try epoll.add(console.borrowed, .readable, token: Token.console)
        } catch {
            throw .prepare(operation: "console log", error)
        }
        self.console = console
        beginning = clock.now
    }

    /// Ends ``run()`` once what the console holds by then is in the log.
    func end() { stop.signal() }

    /// Copies.
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
            file.passTime(now: now)
        }
        file.finish(now: now)
    }

    /// One read's worth.
    ///
    /// - Returns: whether the console goes on; for `untilEmpty`, whether there may be more now.
    private func copy(untilEmpty: Bool = false) -> Bool {
        do throws(Errno) {
            let bytes = try console.read(upTo: 16384)
            file.add(bytes, now: now)
            return !bytes.isEmpty
        } catch {
            return error == .wouldBlock && !untilEmpty
        }
    }

    private var now: Duration { beginning.duration(to: clock.now) }

    private var timeout: Int32 {
        guard let deadline = file.deadline else { return -1 }
        let left = max(.zero, deadline - now).components
        return Int32(left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1)
    }
}
