import Linux
import Synchronization
import VhostUser
import Virtio

/// The connections of a machine's devices to QEMU, which end together: with the machine, or when one of them cannot go
/// on.
final class VhostSessions: Sendable {
    private struct State {
        var lines: [Line] = []
        var failure: VMMError?
        var isOver = false
    }

    private let state = Mutex(State())

    /// Serves `device` until its connection ends, and tells why where that was not QEMU's doing.
    ///
    /// - Parameter wrap: makes the program's error of the session's.
    func serve(
        _ device: any VirtioDevice, on connection: consuming FileDescriptor,
        _ wrap: (VhostUserError) -> VMMError
    ) {
        do throws(VhostUserError) {
            try Backend(device: device, connection: connection).serve()
        } catch {
            fail(wrap(error))
        }
    }

    /// A second descriptor of `connection` is kept, to hang up on.
    func add(_ connection: borrowing FileDescriptor) throws(Errno) {
        let line = Line(try connection.duplicate())
        state.withLock { $0.lines.append(line) }
    }

    /// The machine is of no use any more. The first failure is the one that is told.
    func fail(_ error: VMMError) {
        // What breaks because all was hung up on is no failure.
        state.withLock { if !$0.isOver, $0.failure == nil { $0.failure = error } }
        end()
    }

    /// Hangs up on all of them.
    func end() {
        let lines = state.withLock {
            $0.isOver = true
            return $0.lines
        }
        for line in lines { line.hangUp() }
    }

    var failure: VMMError? { state.withLock { $0.failure } }
}

/// A connection to be hung up on by whoever holds this.
private final class Line: Sendable {
    private let connection: FileDescriptor

    init(_ connection: consuming FileDescriptor) { self.connection = connection }

    func hangUp() {
        // The other end may have done so already.
        try? UnixSocket.shutdownReading(connection.rawValue)
        try? UnixSocket.shutdownWriting(connection.rawValue)
    }
}
