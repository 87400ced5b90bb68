// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux

/// Listens to what the agent of a sandbox tells unasked: that a container ran out of memory.
///
/// A guest may say anything, as often as it likes: a container's news is told once a second at most, and a connection
/// that makes no sense is closed.
final class AgentWatch {
    static let quiet = UInt64(1_000_000_000)
    static let messageLimit = 64 << 10
    static let containerLimit = 1024

    private let loop: ShimLoop
    private let connection: OpenDescriptor
    private var watch: ShimLoop.Watch?
    private var frames = FrameReader(limit: messageLimit)
    private var lastTold: [String: UInt64] = [:]
    private let onOutOfMemory: (String) -> Void

    /// - Parameter connection: greeted already.
    init(_ connection: OpenDescriptor, loop: ShimLoop, onOutOfMemory: @escaping (String) -> Void) throws(Errno) {
        self.connection = connection
        self.loop = loop
        self.onOutOfMemory = onOutOfMemory
        // The loop keeps this for as long as the connection lasts.
        watch = try loop.watch(connection.borrowed, .readable) { _ in self.listen() }
    }

    private func listen() {
        do {
            guard let bytes = try Socket.receive(upTo: 65536, from: connection.borrowed) else { return }
            if bytes.isEmpty { return close() }
            frames.append(bytes)
            while let message = try frames.next() { take(try AnswerMessage(decoding: message).answer) }
        } catch {
            close()
        }
    }

    private func take(_ answer: Answer) {
        guard case .event(container: let container, kind: "oom") = answer else { return }
        let now = Deadline.now
        if let last = lastTold[container], now &- last < Self.quiet { return }
        if lastTold.count >= Self.containerLimit { lastTold = [:] }
        lastTold[container] = now
        onOutOfMemory(container)
    }

    private func close() {
        if let watch { loop.ignore(watch) }
        watch = nil
    }
}
