// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux

/// A host process that gives orders: frames in, frames out.
final class ControlConnection {
    /// A host that takes no answers is let go of when so many bytes wait for it.
    private static let outgoingLimit = 4 * Frame.limit

    private let loop: EventLoop
    private let socket: FileDescriptor
    private let whenAsked: (ControlConnection, RequestMessage) -> Void
    private let whenClosed: (ControlConnection) -> Void
    private var reader = FrameReader(limit: Frame.requestLimit)
    private var outgoing: [UInt8] = []
    private var watch: EventLoop.Watch?
    private(set) var isOpen = true
    /// The host has said hello.
    var isGreeted = false

    init(
        _ loop: EventLoop, socket: consuming FileDescriptor,
        whenAsked: @escaping (ControlConnection, RequestMessage) -> Void,
        whenClosed: @escaping (ControlConnection) -> Void
    ) throws(Errno) {
        self.loop = loop
        self.socket = socket
        self.whenAsked = whenAsked
        self.whenClosed = whenClosed
        watch = try loop.watch(self.socket.borrowed, .readable) { [weak self] events in self?.happened(events) }
    }

    func send(_ message: AnswerMessage) {
        guard isOpen else { return }
        do {
            outgoing += try message.frame()
        } catch {
            // An answer too long for a frame: say so, in one that fits.
            let failure = Failure(stage: "answer", message: "the answer cannot be sent: \(error)")
            outgoing += (try? AnswerMessage(id: message.id, answer: .failure(failure)).frame()) ?? []
        }
        guard outgoing.count <= Self.outgoingLimit else { return close() }
        flush()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        if let watch { loop.ignore(watch) }
        watch = nil
        whenClosed(self)
    }

    private func happened(_ events: Epoll.Events) {
        if events.contains(.writable) { flush() }
        if !events.isDisjoint(with: [.readable, .hangUp, .error]) { receive() }
    }

    private func receive() {
        do {
            guard let bytes = try Socket.receive(upTo: 65536, from: socket.borrowed) else { return }
            if bytes.isEmpty { return close() }
            reader.append(bytes)
        } catch {
            return close()
        }
        do {
            while isOpen, let bytes = try reader.next() { whenAsked(self, try RequestMessage(decoding: bytes)) }
        } catch {
            // No host of ours sends such frames, and where the next one begins is unknown.
            send(AnswerMessage(id: 0, answer: .failure(Failure(stage: "frame", message: error.description))))
            close()
        }
    }

    private func flush() {
        var start = 0
        while start < outgoing.count {
            guard let count = try? Socket.send(outgoing, from: start, on: socket.borrowed) else { return close() }
            if count == 0 { break }
            start += count
        }
        outgoing.removeFirst(start)
        guard let watch else { return }
        try? loop.change(watch, to: outgoing.isEmpty ? .readable : [.readable, .writable])
    }
}

/// Where the answer to a request goes, if the asker is still there.
struct Reply {
    weak var connection: ControlConnection?
    let id: UInt64

    func send(_ answer: Answer) {
        connection?.send(AnswerMessage(id: id, answer: answer))
    }

    func fail(_ error: AgentError) {
        send(.failure(error.failure))
    }
}
