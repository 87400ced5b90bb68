import CLinux
internal import Linux

/// The host's ports as unix sockets of one directory: what the guest asks of port 1024 goes to `vsock_1024`.
final class UnixPorts: HostPorts {
    private let poller: Poller

    init(poller: Poller) {
        self.poller = poller
    }

    /// The name, in the handed directory, of the socket that listens for the guest on `port`.
    static func name(ofPort port: UInt32) -> String { "vsock_\(port)" }

    /// Makes `directory` the place where this thread, and none other of the process, looks names up.
    static func enter(directory: Int32) throws(Errno) {
        // unshare(CLONE_FS) gives the calling thread a working directory of its own.
        try syscall(__NR_unshare, 0x200)
        try syscall(__NR_fchdir, Int(directory))
    }

    func connect(toPort port: UInt32, token: UInt64) throws(Errno) -> any HostStream {
        let socket = try UnixSocket.connect(to: Self.name(ofPort: port), nonBlocking: true)
        try poller.watch(socket.rawValue, token: token)
        return UnixStream(socket: socket)
    }
}

/// The epoll set of a device's thread.
final class Poller {
    private let epoll: Epoll

    init() throws(Errno) {
        epoll = try Epoll()
    }

    /// Reports every change of a stream once, until it is closed.
    func watch(_ descriptor: Int32, token: UInt64) throws(Errno) {
        try epoll.add(descriptor, [.readable, .writable, .peerHangUp, .edgeTriggered], token: token)
    }

    /// Reports `descriptor` for as long as it is readable.
    func watchReadable(_ descriptor: Int32, token: UInt64) throws(Errno) {
        try epoll.add(descriptor, .readable, token: token)
    }

    func forget(_ descriptor: Int32) {
        // It is watched, so this cannot fail in a way that matters.
        try? epoll.remove(descriptor)
    }

    func wait(until deadline: Duration?, now: Duration) throws(Errno) -> [Epoll.Event] {
        var milliseconds: Int32 = -1
        if let deadline {
            let left = max(.zero, min(deadline - now, .seconds(3600))).components
            // Rounded up, so that the deadline has passed when the wait is over.
            milliseconds = Int32(left.seconds * 1000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        }
        return try epoll.wait(milliseconds: milliseconds, limit: 128)
    }
}
