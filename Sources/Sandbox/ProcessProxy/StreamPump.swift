// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// Carries bytes from one descriptor to another, and the end of the stream after them. Bounded: what the sink
/// does not take is not read from the source, except while it collects.
struct StreamPump: ~Copyable {
    /// The most that is kept where the source may soon be gone: more than a guest, the devices and the sockets between
    /// hold of one stream.
    static let collectedByteLimit = 4 << 20

    let source: FileDescriptor
    let sink: FileDescriptor
    /// The sink is a socket to the guest: its end of file is a half-closed connection.
    let endsByShutdown: Bool
    private var buffer = StreamBuffer()
    private var sourceEnded = false
    /// Reading found nothing, so that poll(2) will tell of what comes.
    private var isDrained = false
    /// What comes is read whether the sink has taken what came before or not.
    var collects = false
    /// Nothing more will be carried.
    private(set) var isFinished = false
    /// How many bytes the sink has taken.
    private(set) var deliveredByteCount: UInt64 = 0

    init(from source: consuming FileDescriptor, to sink: consuming FileDescriptor, endsByShutdown: Bool) {
        self.source = source
        self.sink = sink
        self.endsByShutdown = endsByShutdown
    }

    private var wantsSource: Bool {
        !isFinished && !sourceEnded && (buffer.isEmpty || collects && buffer.count < Self.collectedByteLimit)
    }

    /// What to wait for: the source while there is room for what comes, the sink's room while there is something for it,
    /// and always its reader's leaving.
    var interest: (source: pollfd, sink: pollfd) {
        (
            pollfd(fd: wantsSource ? source.rawValue : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isFinished ? -1 : sink.rawValue, events: buffer.isEmpty ? 0 : Int16(POLLOUT), revents: 0)
        )
    }

    /// The source is to be read before it is waited for: a fifo that was opened anew when its writers had gone never
    /// tells poll(2) of its end, and read(2) at once.
    var isToBeRead: Bool { !isFinished && buffer.isEmpty && !isDrained }

    /// Does what can be done without waiting. True where bytes moved.
    mutating func advance() -> Bool {
        guard !isFinished else { return false }
        let count = wantsSource ? fill() : 0
        guard !buffer.isEmpty else {
            if sourceEnded { finish() }
            return false
        }
        let written = write()
        deliveredByteCount += UInt64(written)
        // Nothing will be told of a source that is known to have ended.
        if buffer.isEmpty, sourceEnded { finish() }
        return count > 0 || written > 0
    }

    /// Takes note of what poll(2) says of the sink. True where its reader has left.
    mutating func noteSink(_ events: Int16) -> Bool {
        guard !isFinished, buffer.isEmpty, events & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 else { return false }
        loseSink()
        return true
    }

    /// The number of bytes read.
    private mutating func fill() -> Int {
        let filled = buffer.fill(from: source.borrowed)
        isDrained = filled == .nothingYet
        if filled == .ended { sourceEnded = true }
        if case .bytes(let count) = filled { return count }
        return 0
    }

    /// The number of bytes taken; a sink that refuses for good ends the pump, and the source learns of it.
    private mutating func write() -> Int {
        switch buffer.drain(to: sink.borrowed) {
        case .bytes(let count): return count
        case .nothingNow: return 0
        case .refused:
            loseSink()
            return 0
        }
    }

    /// The reader has left. Reading no more makes the guest's writer see the same; what the caller gave as input is
    /// not ours to shut.
    private mutating func loseSink() {
        if !endsByShutdown { try? UnixSocket.shutdownReading(source.borrowed) }
        isFinished = true
    }

    private mutating func finish() {
        isFinished = true
        if endsByShutdown { try? UnixSocket.shutdownWriting(sink.borrowed) }
    }
}
