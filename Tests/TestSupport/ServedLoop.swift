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
    }

    public init(starts: Bool = true) throws {
        loop = try DeviceLoop()
        if starts { try start() }
    }

    deinit { _ = end() }

    public func start() throws {
        let loop = loop
        let outcome = outcome
        thread = try Thread(named: "devices") {
            do throws(Errno) { try loop.run() } catch { outcome.error.withLock { $0 = error } }
        }
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
