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

    /// - Parameter directory: where the loop's thread looks names up.
    public init(directory: String) throws {
        loop = try DeviceLoop()
        let place = try FileDescriptor.open(directory, .directory).release()
        try start(in: place)
    }

    deinit { _ = end() }

    /// - Parameter directory: taken over.
    public func start(in directory: Int32? = nil) throws {
        let loop = loop
        let outcome = outcome
        thread = try Thread(named: "devices") {
            do throws(Errno) {
                if let directory {
                    let directory = FileDescriptor(owning: directory)
                    try Thread.enter(directory: directory.rawValue)
                }
                try loop.run()
            } catch {
                outcome.error.withLock { $0 = error }
            }
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
