// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux

/// The daemon's side of `start`: where it serves, and whom it tells that it does.
public struct ServedShim: ~Copyable {
    /// Of the socket.
    public let path: String
    private var listener: FileDescriptor?
    private var readiness: FileDescriptor?

    /// Bytes of what is said of a failure: what a pipe takes at once.
    static let reportLimit = 4096

    /// Takes what `start` hands down, or listens on the socket that the arguments name. All descriptors from 3 on are
    /// close-on-exec from here on.
    public init(_ invocation: Invocation) throws(HandshakeError) {
        do {
            try Process.closeDescriptorsOnExec(from: 3)
        } catch {
            throw .launch(operation: "close_range", error)
        }
        if let socket = invocation.socket {
            guard socket.utf8.count <= ShimSocket.pathLimit else {
                throw .socketPathTooLong(socket, limit: ShimSocket.pathLimit)
            }
            if try ShimSocket.isServed(socket) { throw .socketInUse(path: socket) }
            let listener = try ShimSocket.listen(at: socket)
            self.path = socket
            self.listener = consume listener
            self.readiness = nil
            return
        }
        let path: String
        do throws(Errno) {
            path = try UnixSocket.listeningPath(of: BorrowedDescriptor(rawValue: Daemon.listener))
        } catch {
            throw .notHandedDown(descriptor: Daemon.listener, what: "a listening socket")
        }
        let report = BorrowedDescriptor(rawValue: Daemon.readiness)
        guard let status = try? FileNode.status(of: report), status.kind == S_IFIFO else {
            throw .notHandedDown(descriptor: Daemon.readiness, what: "a pipe")
        }
        self.path = path
        self.listener = FileDescriptor(owning: Daemon.listener)
        self.readiness = FileDescriptor(owning: Daemon.readiness)
    }

    /// Gives the listening socket away, once. It does not block.
    public mutating func takeListener() -> FileDescriptor? { listener.take() }

    /// Tells `start` that clients are served.
    public mutating func reportReady() { report([0]) }

    /// Tells `start` why they cannot be.
    public mutating func reportFailure(_ text: String) {
        report([1] + text.utf8.prefix(Self.reportLimit - 1))
    }

    private mutating func report(_ bytes: [UInt8]) {
        // Where `start` has gone, no reader is left. The signal for that is the caller's to ignore.
        switch readiness.take() {
        case .none: return
        case .some(let pipe): try? pipe.writeAll(bytes)
        }
    }

    /// Removes the socket. While it is still listened on, it is this shim's: later it may be another's.
    public borrowing func removeSocket() {
        try? ShimSocket.removeSocket(path)
    }
}
