// SPDX-License-Identifier: Apache-2.0
public import Linux
import Synchronization
public import VhostUser
public import Virtio

/// A device behind a vhost-user socket, served by a thread of this process.
public final class ServedBackend: @unchecked Sendable {
    // @unchecked: the thread is its owner's alone.
    private let outcome = Mutex<VhostUserError?>(nil)
    private var thread: Thread?

    /// Serves `device` on one end of a socket pair.
    ///
    /// - Returns: the other end.
    public static func start(
        _ device: any VirtioDevice, offersConfiguration: Bool = true
    ) throws -> (backend: ServedBackend, connection: BorrowedDescriptor) {
        let pair = try UnixSocket.pair()
        let connection = pair.first.release()
        return (try ServedBackend(device, on: pair.second, offersConfiguration: offersConfiguration), connection)
    }

    public init(
        _ device: any VirtioDevice, on connection: consuming FileDescriptor, offersConfiguration: Bool = true
    ) throws {
        let backend = Handed(
            try Backend(device: device, connection: connection, offersConfiguration: offersConfiguration))
        thread = try Thread(named: "back-end") { [self] in
            do throws(VhostUserError) { try backend.value.serve() } catch { outcome.withLock { $0 = error } }
        }
    }

    /// Waits for serve() to end.
    ///
    /// - Returns: what it threw, nil where the front-end just hung up.
    public func wait() -> VhostUserError? {
        thread.take()?.join()
        return outcome.withLock { $0 }
    }

    /// Moves the back-end to its thread, which has it alone from then on.
    private final class Handed: @unchecked Sendable {
        let value: Backend
        init(_ value: Backend) { self.value = value }
    }
}
