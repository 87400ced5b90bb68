// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Virtio

/// Where the runtime asks a running monitor: a peer connects, writes one line, reads the answer, one line, and the end. A
/// descriptor may come beside the line, by SCM_RIGHTS of unix(7); one that the line has no use for is closed.
///
/// Peers are the host's own root; bounded all the same, so that none of them can stop the devices whose thread this
/// shares: so many at a time, so long a line, so long to write it.
final class ControlSocket: DeviceWork {
    private static let peerLimit = 8
    private static let lineLimit = 1024
    private static let patience = Duration.seconds(5)
    private static let listenerToken: UInt64 = 0

    private final class Peer {
        let socket: FileDescriptor
        let deadline: ContinuousClock.Instant
        var line: [UInt8] = []
        var descriptor: FileDescriptor?

        init(socket: consuming FileDescriptor, deadline: ContinuousClock.Instant) {
            self.socket = socket
            self.deadline = deadline
        }
    }

    private let listener: FileDescriptor
    private let epoll: Epoll
    private let answer: (String, inout FileDescriptor?) -> String
    private var peers: [UInt64: Peer] = [:]
    private var lastToken = listenerToken

    /// - Parameters:
    ///   - listener: a listening unix stream socket.
    ///   - answer: what to say to a line, and to the descriptor that came beside it; one line, without its end.
    init(
        listener: consuming FileDescriptor, answer: @escaping (String, inout FileDescriptor?) -> String
    ) throws(Errno) {
        let epoll = try Epoll()
        try listener.setNonBlocking(true)
        try epoll.add(listener.borrowed, .readable, token: Self.listenerToken)
        self.listener = listener
        self.epoll = epoll
        self.answer = answer
    }

    var readiness: BorrowedDescriptor { epoll.borrowed }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        // What epoll cannot tell now it tells the next time.
        for event in (try? epoll.wait(milliseconds: 0)) ?? [] {
            if event.token == Self.listenerToken { accept(now) } else { read(event.token) }
        }
        for (token, peer) in peers where peer.deadline <= now { peers[token] = nil }
        return peers.values.map(\.deadline).min()
    }

    private func accept(_ now: ContinuousClock.Instant) {
        guard let socket = try? UnixSocket.accept(listener.borrowed, nonBlocking: true) else { return }
        // One too many is hung up on.
        guard peers.count < Self.peerLimit else { return }
        lastToken += 1
        guard (try? epoll.add(socket.borrowed, .readable, token: lastToken)) != nil else { return }
        peers[lastToken] = Peer(socket: socket, deadline: now + Self.patience)
    }

    private func read(_ token: UInt64) {
        guard let peer = peers[token] else { return }
        do throws(Errno) {
            let count = try receive(from: peer)
            if let end = peer.line.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: peer.line[..<end], as: UTF8.self)
                try tell(answer(line, &peer.descriptor), to: peer)
            } else if count > 0, peer.line.count <= Self.lineLimit {
                return
            }
        } catch {
            if error == .wouldBlock { return }
            if error == .messageTooLong { try? tell("error: more than one descriptor", to: peer) }
        }
        peers[token] = nil
    }

    /// - Returns: how many bytes came; 0 at the end.
    /// - Throws: also `EMSGSIZE` for a second descriptor.
    private func receive(from peer: Peer) throws(Errno) -> Int {
        var bytes = [UInt8](repeating: 0, count: Self.lineLimit + 1 - peer.line.count)
        var descriptors = DescriptorList()
        // The array outlives the call, and tells its own length.
        let count = try unsafe bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(Errno) in
                try unsafe DescriptorPassing.receive(
                    into: buffer, maximum: 1, descriptors: &descriptors, from: peer.socket.borrowed)
            }
        }.get()
        if let descriptor = descriptors.takeFirst() {
            guard peer.descriptor == nil else { throw .messageTooLong }
            peer.descriptor = consume descriptor
        }
        peer.line += bytes[..<count]
        return count
    }

    private func tell(_ answer: String, to peer: Peer) throws(Errno) {
        // An answer fits a socket's buffer, which nothing was written to before.
        _ = try Socket.send(Array((answer + "\n").utf8), from: 0, on: peer.socket.borrowed)
    }
}
