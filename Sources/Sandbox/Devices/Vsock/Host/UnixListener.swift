// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
internal import Linux

/// The socket on which host peers ask for ports of the guest: `CONNECT <port>\n`, then raw bytes. They are
/// answered `OK <host port>\n`, or hung up on.
final class UnixListener {
    private struct Peer {
        let stream: UnixStream
        let deadline: Duration
    }

    /// The longest line there is, "CONNECT 4294967295\n".
    private static let lineLimit = 19

    private let socket: BorrowedDescriptor
    private let poller: Poller
    private let limits: VsockLimits
    /// Those that have not said what they want.
    private var peers: [UInt64: Peer] = [:]
    private var mayHaveMore = true
    private var acceptAgain: Duration?

    /// - Parameter socket: borrowed; it listens and does not block, and is watched by the caller.
    init(socket: BorrowedDescriptor, poller: Poller, limits: VsockLimits) {
        self.socket = socket
        self.poller = poller
        self.limits = limits
    }

    /// A connection may be waiting to be accepted.
    func knocked() { mayHaveMore = true }

    /// Lets in whom there is room for; the others wait in the kernel's backlog.
    func accept(_ muxer: Muxer, now: Duration) {
        while mayHaveMore, acceptAgain == nil, muxer.hasRoom, peers.count < limits.handshakes {
            do {
                let stream = UnixStream(socket: try UnixSocket.accept(socket, nonBlocking: true))
                let token = muxer.newToken()
                try poller.watch(stream.socket.borrowed, token: token)
                peers[token] = Peer(stream: stream, deadline: now + Patience.handshake)
            } catch  where error == .wouldBlock {
                mayHaveMore = false
            } catch  where error == Errno(rawValue: ECONNABORTED) {
                continue
            } catch {
                // Out of descriptors or memory: that passes, and trying at once would only spin.
                acceptAgain = now + .milliseconds(100)
            }
        }
    }

    /// - Returns: whether `token` is one of the peers that have not been let through yet.
    func streamChanged(token: UInt64, events: Epoll.Events, _ muxer: Muxer, now: Duration) -> Bool {
        guard let peer = peers[token] else { return false }
        switch requestedPort(of: peer.stream) {
        case .incomplete:
            if !events.isDisjoint(with: [.peerHangUp, .hangUp, .error]) { peers[token] = nil }
        case .refused:
            peers[token] = nil
        case .port(let port):
            peers[token] = nil
            // What came with the line is still in the socket; the first event has told of it.
            if muxer.request(guestPort: port, stream: peer.stream, token: token, now: now) {
                muxer.streamChanged(token: token, events: events, now: now)
            }
        }
        return true
    }

    var nextDeadline: Duration? {
        let first = peers.values.map(\.deadline).min()
        guard let again = acceptAgain else { return first }
        return first.map { min($0, again) } ?? again
    }

    /// Hangs up on those who took too long.
    func passTime(now: Duration) {
        if let again = acceptAgain, again <= now { acceptAgain = nil }
        if peers.values.contains(where: { $0.deadline <= now }) {
            peers = peers.filter { $0.value.deadline > now }
        }
    }

    private enum Request {
        case incomplete
        case refused
        case port(UInt32)
    }

    /// Looks at the line without taking it, so that nothing behind it is taken either.
    private func requestedPort(of stream: UnixStream) -> Request {
        var line = [UInt8](repeating: 0, count: Self.lineLimit)
        guard let count = Self.receive(stream, &line, flags: Int32(MSG_PEEK)) else { return .incomplete }
        guard let end = line[..<count].firstIndex(of: UInt8(ascii: "\n")) else {
            return count < Self.lineLimit ? .incomplete : .refused
        }
        guard let port = Self.port(in: line[..<end]) else { return .refused }
        var taken = [UInt8](repeating: 0, count: end + 1)
        guard Self.receive(stream, &taken, flags: 0) == end + 1 else { return .refused }
        return .port(port)
    }

    /// - Returns: nil when there is nothing yet.
    private static func receive(_ stream: UnixStream, _ bytes: inout [UInt8], flags: Int32) -> Int? {
        // The array outlives the call.
        unsafe bytes.withUnsafeMutableBytes { buffer in
            try? unsafe UnixSocket.receive(into: buffer, on: stream.socket.borrowed, flags: flags)
        }
    }

    /// The port of "CONNECT <port>", written in digits only.
    static func port(in line: ArraySlice<UInt8>) -> UInt32? {
        let verb = Array("CONNECT ".utf8)
        guard line.starts(with: verb) else { return nil }
        let digits = line.dropFirst(verb.count)
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return UInt32(String(decoding: digits, as: UTF8.self))
    }
}

extension UnixSocket {
    /// recvfrom(2), never waiting.
    fileprivate static func receive(
        into buffer: UnsafeMutableRawBufferPointer, on socket: BorrowedDescriptor, flags: Int32
    ) throws(Errno) -> Int {
        try retrying { () throws(Errno) in
            // Both structures outlive the call, which fills them.
            try unsafe syscall(
                __NR_recvfrom, socket.argument, buffer.argument, buffer.count, Int(flags) | Int(MSG_DONTWAIT))
        }
    }
}
