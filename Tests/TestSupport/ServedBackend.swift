public import Linux
import Synchronization
public import VhostUser
public import Virtio

/// A device behind a vhost-user socket, served by a thread of this process.
public final class ServedBackend: Sendable {
    private let outcome = Mutex<VhostUserError?>(nil)
    private let thread: Mutex<WorkerThread?> = Mutex(nil)

    /// Serves `device` on one end of a socket pair.
    ///
    /// - Returns: the other end.
    public static func start(_ device: any VirtioDevice) throws -> (backend: ServedBackend, connection: Int32) {
        let pair = try UnixSocket.pair()
        let connection = pair.first.release()
        return (try ServedBackend(device, on: pair.second), connection)
    }

    public init(_ device: any VirtioDevice, on connection: consuming FileDescriptor) throws {
        let backend = Handed(try Backend(device: device, connection: connection))
        let worker = WorkerThread { [self] in
            do throws(VhostUserError) { try backend.value.serve() } catch { outcome.withLock { $0 = error } }
        }
        thread.withLock { $0 = worker }
    }

    /// Waits for serve() to end.
    ///
    /// - Returns: what it threw, nil where the front-end just hung up.
    public func wait() -> VhostUserError? {
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
        return outcome.withLock { $0 }
    }

    /// Moves the back-end to its thread, which has it alone from then on.
    private final class Handed: @unchecked Sendable {
        let value: Backend
        init(_ value: Backend) { self.value = value }
    }
}
