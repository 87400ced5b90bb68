// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Two connected stream sockets, made one connection: what comes in at either goes out at the other, and each half is closed
/// when it was closed there. One buffer a direction; when a socket takes nothing, the other is not read.
///
/// Descriptors cannot be carried. A sender of one loses the connection, rather than the descriptor in silence.
public final class SocketBridge {
    /// The most that waits in one direction.
    public static let bufferByteCount = 16384
    /// How many buffers are moved before others get their turn.
    private static let turnLimit = 16

    /// One way of the connection.
    private struct Way {
        var buffer = StreamBuffer(chunkByteCount: bufferByteCount)
        /// Nothing more comes in.
        var hasEnded = false
        /// Nothing more goes out.
        var isDone = false

        var wantsToRead: Bool { !isDone && !hasEnded && buffer.isEmpty }
        var wantsToWrite: Bool { !isDone && !buffer.isEmpty }
    }

    private let loop: EventLoop
    private let first: FileDescriptor
    private let second: FileDescriptor
    private var forth = Way()
    private var back = Way()
    private var watches: (first: EventLoop.Watch?, second: EventLoop.Watch?)
    private var interests: (first: Epoll.Events, second: Epoll.Events) = ([], [])
    private var whenFinished: (() -> Void)?

    /// - Parameters:
    ///   - preface: goes out at `second` before anything else.
    ///   - whenFinished: called once, from within the loop, when both ways have ended, or either socket failed.
    public init(
        _ loop: EventLoop, _ first: consuming FileDescriptor, _ second: consuming FileDescriptor, preface: [UInt8] = [],
        whenFinished: @escaping () -> Void
    ) {
        self.loop = loop
        self.first = first
        self.second = second
        self.whenFinished = whenFinished
        forth.buffer = StreamBuffer(chunkByteCount: Self.bufferByteCount, content: preface)
    }

    /// Starts moving. The bridge holds itself until it is finished.
    public func begin() { pump() }

    /// Closes both connections, without calling `whenFinished`.
    public func cancel() {
        whenFinished = nil
        finish()
    }

    /// Nothing is on its way.
    public var isIdle: Bool { forth.buffer.isEmpty && back.buffer.isEmpty }

    private func pump() {
        do {
            try Self.move(&forth, from: first.borrowed, to: second.borrowed)
            try Self.move(&back, from: second.borrowed, to: first.borrowed)
            if forth.isDone, back.isDone { return finish() }
            try listen()
        } catch {
            finish()
        }
    }

    /// - Throws: what broke the connection.
    private static func move(
        _ way: inout Way, from source: BorrowedDescriptor, to sink: BorrowedDescriptor
    ) throws(Errno) {
        for _ in 0..<turnLimit where !way.isDone {
            if way.wantsToRead {
                switch try way.buffer.receive(from: source) {
                case .nothingYet: return
                case .ended: way.hasEnded = true
                case .bytes: break
                }
            }
            if way.buffer.isEmpty {
                way.isDone = true
                // The other side may have gone as well.
                try? UnixSocket.shutdownWriting(sink)
                return
            }
            do throws(Errno) {
                if try way.buffer.send(on: sink) == 0 { return }
            } catch .brokenPipe {
                // That side no longer reads, which the writer is to know.
                way.isDone = true
                way.buffer.removeAll()
                try? UnixSocket.shutdownReading(source)
            }
        }
    }

    private func listen() throws(Errno) {
        var wanted: (first: Epoll.Events, second: Epoll.Events) = ([], [])
        if forth.wantsToRead { wanted.first.insert(.readable) }
        if forth.wantsToWrite { wanted.second.insert(.writable) }
        if back.wantsToRead { wanted.second.insert(.readable) }
        if back.wantsToWrite { wanted.first.insert(.writable) }
        try watch(first.borrowed, &watches.first, &interests.first, wanted.first)
        try watch(second.borrowed, &watches.second, &interests.second, wanted.second)
    }

    /// A socket of which nothing is wanted is not watched at all: that it has hung up would be told again and again.
    private func watch(
        _ socket: BorrowedDescriptor, _ watch: inout EventLoop.Watch?, _ interest: inout Epoll.Events,
        _ wanted: Epoll.Events
    ) throws(Errno) {
        guard wanted != interest else { return }
        interest = wanted
        if let old = watch {
            if !wanted.isEmpty { return try loop.change(old, to: wanted) }
            loop.ignore(old)
            watch = nil
        } else if !wanted.isEmpty {
            watch = try loop.watch(socket, wanted) { [self] _ in pump() }
        }
    }

    private func finish() {
        for watch in [watches.first, watches.second] {
            if let watch { loop.ignore(watch) }
        }
        watches = (nil, nil)
        forth.isDone = true
        back.isDone = true
        // To both ends at once, even if something else holds this object for the moment.
        for socket in [first.borrowed, second.borrowed] {
            try? UnixSocket.shutdownReading(socket)
            try? UnixSocket.shutdownWriting(socket)
        }
        let told = whenFinished
        whenFinished = nil
        told?()
    }
}
