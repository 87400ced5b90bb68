// SPDX-License-Identifier: Apache-2.0
import Linux

/// An epoll set that many may hold.
final class EpollSet {
    let epoll: Epoll

    init() throws(Errno) {
        epoll = try Epoll()
    }
}

/// A connected socket in an epoll set, and its frames: those half-read and those not yet written. It closes itself
/// when the peer has gone, sends what is no frame, or does not read what is sent to it.
final class FrameChannel {
    private let events: EpollSet
    private let token: UInt64
    private let queueLimit: Int
    private let borrowed: BorrowedDescriptor
    private var socket: FileDescriptor?
    private var reader = FrameReader()
    private var queue: [UInt8] = []
    private var written = 0
    private var isWatchedForWriting = false

    /// Since when a frame that is not whole is waited for.
    private(set) var waitsSince: ContinuousClock.Instant?
    private(set) var isClosed = false

    /// - Parameters:
    ///   - token: the socket's name in `events`.
    ///   - queueLimit: the most bytes that may wait for the peer to read.
    init(_ socket: consuming FileDescriptor, in events: EpollSet, token: UInt64, queueLimit: Int) throws(Errno) {
        let borrowed = socket.borrowed
        try events.epoll.add(borrowed, .readable, token: token)
        self.events = events
        self.token = token
        self.queueLimit = queueLimit
        self.borrowed = borrowed
        self.socket = consume socket
    }

    var queuedByteCount: Int { queue.count - written }

    /// Reads once, and hands over the frames that are whole.
    func receive(now: ContinuousClock.Instant, _ body: (FrameReader.Found) -> Void) {
        guard !isClosed else { return }
        do throws(Errno) {
            guard let bytes = try Socket.receive(upTo: 16384, from: borrowed) else { return }
            guard !bytes.isEmpty else { return close() }
            reader.append(bytes)
        } catch {
            return close()
        }
        do throws(FrameReader.Malformed) {
            while !isClosed, let found = try reader.next() {
                waitsSince = nil
                body(found)
            }
        } catch {
            return close()
        }
        waitsSince = reader.isInFrame ? waitsSince ?? now : nil
    }

    /// Sends `frame`, or keeps it until the peer reads. Closes where more waits than may.
    func send(_ frame: Frame) {
        guard !isClosed else { return }
        let bytes = frame.encoded
        guard queuedByteCount + bytes.count <= queueLimit else { return close() }
        if queue.isEmpty {
            queue = bytes
        } else {
            queue += bytes
        }
        flush()
    }

    /// Writes as much as the socket takes.
    func flush() {
        guard !isClosed else { return }
        do throws(Errno) {
            while written < queue.count {
                let count = try Socket.send(queue, from: written, on: borrowed)
                if count == 0 { break }
                written += count
            }
            if written == queue.count {
                queue = []
                written = 0
            } else if written > queue.count / 2 {
                queue.removeFirst(written)
                written = 0
            }
            try watch(forWriting: !queue.isEmpty)
        } catch {
            close()
        }
    }

    private func watch(forWriting: Bool) throws(Errno) {
        guard forWriting != isWatchedForWriting else { return }
        try events.epoll.modify(borrowed, forWriting ? [.readable, .writable] : .readable, token: token)
        isWatchedForWriting = forWriting
    }

    func close() {
        guard !isClosed else { return }
        // A forked copy of this process may hold the socket still: closing alone would leave it in the set.
        try? events.epoll.remove(borrowed)
        abandon()
    }

    /// Closes this process's copy of the socket and leaves the set, which another process may share, as it is.
    func abandon() {
        isClosed = true
        waitsSince = nil
        socket = nil
        reader = FrameReader()
        queue = []
        written = 0
    }
}
