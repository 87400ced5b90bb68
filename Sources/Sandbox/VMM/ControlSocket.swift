import CLinux
import Glibc
import Linux
import Virtio

/// Where the runtime asks a running monitor: a peer connects, writes one line, reads the answer, one line, and the end.
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

        init(socket: consuming FileDescriptor, deadline: ContinuousClock.Instant) {
            self.socket = socket
            self.deadline = deadline
        }
    }

    private let listener: FileDescriptor
    private let epoll: Epoll
    private let answer: (String) -> String
    private var peers: [UInt64: Peer] = [:]
    private var lastToken = listenerToken

    /// - Parameters:
    ///   - listener: a listening unix stream socket.
    ///   - answer: what to say to a line; one line, without its end.
    init(listener: consuming FileDescriptor, answer: @escaping (String) -> String) throws(Errno) {
        let epoll = try Epoll()
        try listener.setNonBlocking(true)
        try epoll.add(listener.rawValue, .readable, token: Self.listenerToken)
        self.listener = listener
        self.epoll = epoll
        self.answer = answer
    }

    var readiness: Int32 { epoll.rawValue }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        // What epoll cannot tell now it tells the next time.
        for event in (try? epoll.wait(milliseconds: 0)) ?? [] {
            if event.token == Self.listenerToken { accept(now) } else { read(event.token) }
        }
        for (token, peer) in peers where peer.deadline <= now { peers[token] = nil }
        return peers.values.map(\.deadline).min()
    }

    private func accept(_ now: ContinuousClock.Instant) {
        guard let socket = try? UnixSocket.accept(listener.rawValue, nonBlocking: true) else { return }
        // One too many is hung up on.
        guard peers.count < Self.peerLimit else { return }
        lastToken += 1
        guard (try? epoll.add(socket.rawValue, .readable, token: lastToken)) != nil else { return }
        peers[lastToken] = Peer(socket: socket, deadline: now + Self.patience)
    }

    private func read(_ token: UInt64) {
        guard let peer = peers[token] else { return }
        do throws(Errno) {
            let bytes = try peer.socket.read(upTo: Self.lineLimit + 1 - peer.line.count)
            peer.line += bytes
            if let end = peer.line.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: peer.line[..<end], as: UTF8.self)
                // An answer fits a socket's buffer, which nothing was written to before.
                _ = try Socket.send(Array((answer(line) + "\n").utf8), from: 0, on: peer.socket.rawValue)
            } else if !bytes.isEmpty, peer.line.count <= Self.lineLimit {
                return
            }
        } catch {
            if error == .wouldBlock { return }
        }
        peers[token] = nil
    }
}
