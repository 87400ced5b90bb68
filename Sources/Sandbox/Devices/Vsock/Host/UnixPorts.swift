// SPDX-License-Identifier: Apache-2.0
import CLinux
internal import Linux

/// The host's ports as unix sockets in the working directory of the thread that serves the device: what the guest
/// asks of port 1024 goes to `vsock_1024`.
final class UnixPorts: HostPorts {
    private let poller: Poller

    init(poller: Poller) {
        self.poller = poller
    }

    /// The name of the socket that listens for the guest on `port`.
    static func name(ofPort port: UInt32) -> String { "vsock_\(port)" }

    func connect(toPort port: UInt32, token: UInt64) throws(Errno) -> any HostStream {
        let socket = try UnixSocket.connect(to: Self.name(ofPort: port), nonBlocking: true)
        try poller.watch(socket.borrowed, token: token)
        return UnixStream(socket: socket)
    }
}

/// The device's epoll set.
final class Poller {
    private let epoll: Epoll

    init() throws(Errno) {
        epoll = try Epoll()
    }

    /// Readable while something has happened.
    var descriptor: BorrowedDescriptor { epoll.borrowed }

    /// Reports every change of a stream once, until it is closed.
    func watch(_ descriptor: BorrowedDescriptor, token: UInt64) throws(Errno) {
        try epoll.add(descriptor, [.readable, .writable, .peerHangUp, .edgeTriggered], token: token)
    }

    /// Reports `descriptor` for as long as it is readable.
    func watchReadable(_ descriptor: BorrowedDescriptor, token: UInt64) throws(Errno) {
        try epoll.add(descriptor, .readable, token: token)
    }

    func forget(_ descriptor: BorrowedDescriptor) {
        // It is watched, so this cannot fail in a way that matters.
        try? epoll.remove(descriptor)
    }

    /// Hands over what has happened, without waiting; what is left of much comes with the next call.
    func poll(_ body: (Epoll.Event) -> Void) throws(Errno) { try epoll.wait(milliseconds: 0, body) }
}
