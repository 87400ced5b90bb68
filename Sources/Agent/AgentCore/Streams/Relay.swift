// SPDX-License-Identifier: Apache-2.0
import Linux

/// Moves bytes from one descriptor to another, holding at most one buffer of them: when the sink is slow the
/// source is not read.
///
/// It lives as long as both of its ends do, by itself: until the source has ended and all of it was handed over, or
/// the sink's reader has gone. Then it lets go of both, so that each side sees the other leave.
final class Relay {
    /// How many buffers are moved before others get their turn.
    private static let turnLimit = 16

    enum Sink {
        /// Its writing direction is shut down at the end. `isBothWays`: the host sends on it, too, so that the end of
        /// what it sends is not the end of its listening.
        case socket(isBothWays: Bool)
        /// Closed at the end, and so read to its end by the process.
        case pipe
        /// Left as it is at the end: a terminal has no end of file but the one that is typed.
        case terminal
        /// Takes everything.
        case null
    }

    /// An end of the relay, open until it is let go of.
    private final class End {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    private let loop: EventLoop
    private var source: End?
    private var sink: End?
    private let sinkKind: Sink
    /// What is read when the sink has gone is thrown away, rather than the source closed.
    private let discards: Bool
    private var buffer = StreamBuffer()
    private var sourceHasEnded = false
    private var endsWhenEmpty = false
    private var sinkIsGone = false
    private var sourceWatch: EventLoop.Watch?
    /// Kept while the sink is there: it tells of the reader's leaving as well.
    private var sinkWatch: EventLoop.Watch?
    private var waitsForSink = false
    /// How many bytes were read from the source.
    private var readByteCount: UInt64 = 0

    /// Nothing will be moved any more.
    var isFinished: Bool { source == nil }

    init(
        _ loop: EventLoop, from source: consuming FileDescriptor, to sink: consuming FileDescriptor, kind: Sink,
        discards: Bool = false
    ) throws(Errno) {
        self.loop = loop
        try source.setNonBlocking(true)
        try sink.setNonBlocking(true)
        self.source = End(source)
        self.sink = End(sink)
        sinkKind = kind
        self.discards = discards
    }

    /// Starts moving. The relay holds itself until it is finished.
    func begin() {
        pump()
    }

    /// The source has no more writers: what is in it is moved, and then it counts as ended, even
    /// if a process forgot to close it.
    func sourceIsComplete() {
        endsWhenEmpty = true
        pump()
    }

    /// Stops at once; nothing is moved any more.
    func cancel() {
        letGo()
    }

    /// How many bytes the source has given so far: what was read, and what waits in it.
    func takeStock() -> UInt64 {
        pump()
        guard let source else { return readByteCount }
        return readByteCount + UInt64((try? source.descriptor.readableByteCount()) ?? 0)
    }

    private func pump() {
        for _ in 0..<Self.turnLimit {
            guard !isFinished else { return }
            if buffer.isEmpty, !readSome() { return }
            if sourceHasEnded, buffer.isEmpty { return finish() }
            if !writeSome() { return }
        }
        // Both sides keep up; the loop comes back at once.
        if !isFinished { wait(forSource: buffer.isEmpty) }
    }

    /// False where nothing can be done for now.
    private func readSome() -> Bool {
        guard !sourceHasEnded, let source else { return true }
        switch buffer.fill(from: source.descriptor.borrowed) {
        case .bytes(let count):
            readByteCount += UInt64(count)
        case .nothingYet where !endsWhenEmpty:
            wait(forSource: true)
            return false
        case .nothingYet, .ended:
            sourceHasEnded = true
        }
        return true
    }

    /// False where nothing can be done for now, or never again.
    private func writeSome() -> Bool {
        guard !sinkIsGone, let sink else {
            buffer.removeAll()
            return true
        }
        switch buffer.drain(to: sink.descriptor.borrowed) {
        case .bytes:
            return true
        case .nothingNow:
            wait(forSource: false)
            return false
        case .refused:
            loseSink()
            return !isFinished
        }
    }

    /// The sink has no reader any more.
    private func loseSink() {
        sinkIsGone = true
        buffer.removeAll()
        if let sinkWatch { loop.ignore(sinkWatch) }
        sinkWatch = nil
        sink = nil
        if !discards { letGo() }
    }

    private func wait(forSource: Bool) {
        guard let source else { return }
        waitsForSink = !forSource
        do throws(Errno) {
            if forSource, sourceWatch == nil {
                sourceWatch = try loop.watch(source.descriptor.borrowed, .readable) { [self] _ in pump() }
            } else if !forSource, let watch = sourceWatch {
                // What has ended says so again and again.
                loop.ignore(watch)
                sourceWatch = nil
            }
            try watchSink()
        } catch {
            finish()
        }
    }

    /// Waits for the sink's reader to take something, if that is what is missing, and to leave.
    private func watchSink() throws(Errno) {
        guard let sink else { return }
        var events: Epoll.Events = waitsForSink ? .writable : []
        switch sinkKind {
        case .socket(isBothWays: false): events.insert(.peerHangUp)
        case .socket(isBothWays: true), .pipe: break
        // A terminal that no process has open for now may be opened again.
        case .terminal where !waitsForSink: return ignoreSink()
        case .terminal: break
        case .null: return
        }
        if let sinkWatch { return try loop.change(sinkWatch, to: events) }
        sinkWatch = try loop.watch(sink.descriptor.borrowed, events) { [self] happened in
            if happened.isDisjoint(with: [.peerHangUp, .hangUp, .error]) { return pump() }
            if case .terminal = sinkKind { return pump() }
            loseSink()
            pump()
        }
    }

    private func ignoreSink() {
        if let sinkWatch { loop.ignore(sinkWatch) }
        sinkWatch = nil
    }

    private func finish() {
        if case .socket = sinkKind, let sink { try? UnixSocket.shutdownWriting(sink.descriptor.borrowed) }
        letGo()
    }

    private func letGo() {
        if let sourceWatch { loop.ignore(sourceWatch) }
        sourceWatch = nil
        ignoreSink()
        (source, sink) = (nil, nil)
    }
}
