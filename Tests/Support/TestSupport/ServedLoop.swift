// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux
import Synchronization
public import Virtio

/// A loop for devices, run by a thread of this process until it is let go of.
public final class ServedLoop: @unchecked Sendable {
    // @unchecked: the thread is its owner's alone.
    public let loop: DeviceLoop
    private var thread: Thread?
    private let outcome = Outcome()

    private final class Outcome: Sendable {
        let error = Mutex<Errno?>(nil)
        /// The thread's processor time, pthread_getcpuclockid(3); nil before it runs.
        let clock = Mutex<clockid_t?>(nil)
    }

    public init(starts: Bool = true) throws {
        loop = try DeviceLoop()
        if starts { try start() }
    }

    /// - Parameter directory: where the loop's thread looks names up.
    public init(directory: String) throws {
        loop = try DeviceLoop()
        let place = try FileDescriptor.open(directory, .directory).release()
        try start(in: place)
    }

    deinit { _ = end() }

    /// - Parameter directory: taken over.
    public func start(in directory: BorrowedDescriptor? = nil) throws {
        let loop = loop
        let outcome = outcome
        thread = try Thread(named: "devices") {
            var clock = clockid_t()
            unsafe pthread_getcpuclockid(pthread_self(), &clock)
            outcome.clock.withLock { [clock] in $0 = clock }
            do throws(Errno) {
                if let directory {
                    let directory = FileDescriptor(owning: directory)
                    try Thread.enter(directory: directory.borrowed.path)
                }
                try loop.run()
            } catch {
                outcome.error.withLock { $0 = error }
            }
        }
    }

    /// The processor time that the loop's thread has taken, in nanoseconds; nil where it has not begun. Only while it
    /// runs.
    public var processorTime: Int? {
        guard let clock = outcome.clock.withLock({ $0 }) else { return nil }
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Stops the loop and waits for its end.
    ///
    /// - Returns: what it threw.
    public func end() -> Errno? {
        loop.stop()
        if let thread = thread.take() { thread.join() }
        return outcome.error.withLock { $0 }
    }
}
