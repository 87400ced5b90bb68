import Linux

/// Moves bytes from one descriptor to another, holding at most one buffer of them: when the sink is slow the
/// source is not read.
final class Relay {
    static let bufferByteCount = 65536
    /// How many buffers are moved before others get their turn.
    private static let turnLimit = 16

    enum Sink {
        /// Its writing direction is shut down at the end.
        case socket
        /// Closed at the end, and so read to its end by the process.
        case pipe
        /// Left as it is at the end: a terminal has no end of file but the one that is typed.
        case terminal
    }

    private let loop: EventLoop
    private let source: FileDescriptor
    private let sink: FileDescriptor
    private let sinkKind: Sink
    /// What is read when the sink has gone is thrown away, rather than the source closed.
    private let discards: Bool
    private var buffer = [UInt8](repeating: 0, count: Relay.bufferByteCount)
    private var start = 0
    private var end = 0
    private var sourceHasEnded = false
    private var endsWhenEmpty = false
    private var sinkIsGone = false
    private var watch: EventLoop.Watch?
    private var watchesSource = false
    private(set) var isFinished = false
    private let whenFinished: () -> Void

    /// - Parameter whenFinished: called once, from within the loop, when the source has ended and all of it was
    ///   handed over, or the sink has gone.
    init(
        _ loop: EventLoop, from source: consuming FileDescriptor, to sink: consuming FileDescriptor, kind: Sink,
        discards: Bool = false, whenFinished: @escaping () -> Void
    ) throws(Errno) {
        self.loop = loop
        self.source = source
        self.sink = sink
        sinkKind = kind
        self.discards = discards
        self.whenFinished = whenFinished
        try self.source.setNonBlocking(true)
        try self.sink.setNonBlocking(true)
    }

    /// Starts moving. The relay holds itself until it is finished.
    func begin() {
        pump()
    }

    /// Nobody will write to the source any more: what is in it is moved, and then it counts as ended, even
    /// where somebody forgot to close it.
    func sourceIsComplete() {
        endsWhenEmpty = true
        pump()
    }

    /// Stops at once; nothing is moved or reported any more.
    func cancel() {
        guard !isFinished else { return }
        isFinished = true
        stopWatching()
    }

    private func pump() {
        guard !isFinished else { return }
        for _ in 0..<Self.turnLimit {
            if start == end, !readSome() { return }
            if sourceHasEnded, start == end { return finish() }
            if !writeSome() { return }
        }
        // Both sides keep up; the loop comes back at once.
        wait(forSource: start == end)
    }

    /// False where nothing can be done for now.
    private func readSome() -> Bool {
        guard !sourceHasEnded else { return true }
        let count = read(source, &buffer)
        switch count {
        case .success(0):
            sourceHasEnded = true
        case .success(let count):
            (start, end) = (0, count)
        case .failure(.wouldBlock):
            if !endsWhenEmpty {
                wait(forSource: true)
                return false
            }
            sourceHasEnded = true
        case .failure:
            // EIO is a terminal nobody has open any more; anything else is as final.
            sourceHasEnded = true
        }
        return true
    }

    /// False where nothing can be done for now, or never again.
    private func writeSome() -> Bool {
        if sinkIsGone {
            start = end
            return true
        }
        switch write(sink, buffer, start..<end) {
        case .success(let count):
            start += count
            return true
        case .failure(.wouldBlock):
            wait(forSource: false)
            return false
        case .failure:
            sinkIsGone = true
            start = end
            if discards { return true }
            finish()
            return false
        }
    }

    private func wait(forSource: Bool) {
        if watch != nil, watchesSource == forSource { return }
        stopWatching()
        watchesSource = forSource
        do {
            watch = try loop.watch(
                forSource ? source.rawValue : sink.rawValue, forSource ? .readable : .writable
            ) { [self] _ in pump() }
        } catch {
            finish()
        }
    }

    private func stopWatching() {
        if let watch { loop.ignore(watch) }
        watch = nil
    }

    private func finish() {
        isFinished = true
        stopWatching()
        if sinkKind == .socket, !sinkIsGone { try? UnixSocket.shutdownWriting(sink.rawValue) }
        whenFinished()
    }
}

/// read(2) as a value.
private func read(_ descriptor: borrowing FileDescriptor, _ buffer: inout [UInt8]) -> Result<Int, Errno> {
    do throws(Errno) {
        return .success(try descriptor.read(into: &buffer))
    } catch {
        return .failure(error)
    }
}

/// write(2) as a value.
private func write(
    _ descriptor: borrowing FileDescriptor, _ buffer: [UInt8], _ range: Range<Int>
) -> Result<Int, Errno> {
    do throws(Errno) {
        return .success(try descriptor.write(buffer, range))
    } catch {
        return .failure(error)
    }
}
