// SPDX-License-Identifier: Apache-2.0
import TTRPC

/// Events on their way to containerd, in the order they happened. One is sent at a time; while containerd is away it
/// is sent again and again, later each time, and nothing overtakes it.
///
/// What can wait here is bounded by what can happen without containerd: each process ends once, and of the notices
/// (``Event/isNotice``) a bounded number is kept.
final class EventQueue {
    struct Event {
        /// For the log.
        let topic: String
        /// A ForwardRequest.
        let bytes: [UInt8]
        /// Nothing is lost with it but the news: it may be left out where too many wait.
        let isNotice: Bool
    }

    static let firstDelay = Duration.milliseconds(50)
    static let longestDelay = Duration.seconds(5)
    static let noticeLimit = 256
    /// How often an event is sent that containerd is there for, and refuses.
    static let refusalLimit = 5

    private var waiting: [Event] = []
    private var isSending = false
    private var delay = firstDelay
    private var refusals = 0
    private let send: (Event, @escaping (Result<Void, Failure>) -> Void) -> Void
    private let later: (Duration, @escaping () -> Void) -> Void
    private let log: (String) -> Void

    /// - Parameters:
    ///   - send: sends an event and calls back once.
    ///   - later: calls back once, after a time.
    ///   - log: told what was given up.
    init(
        send: @escaping (Event, @escaping (Result<Void, Failure>) -> Void) -> Void,
        later: @escaping (Duration, @escaping () -> Void) -> Void, log: @escaping (String) -> Void
    ) {
        self.send = send
        self.later = later
        self.log = log
    }

    /// Everything has been delivered.
    var isEmpty: Bool { waiting.isEmpty }

    func publish(_ event: Event) {
        if event.isNotice, waiting.count(where: { $0.isNotice }) >= Self.noticeLimit {
            log("event \(event.topic) is left out: \(Self.noticeLimit) such wait for containerd")
            return
        }
        waiting.append(event)
        advance()
    }

    private func advance() {
        guard !isSending, let first = waiting.first else { return }
        isSending = true
        send(first) { [self] result in settle(result) }
    }

    private func settle(_ result: Result<Void, Failure>) {
        switch result {
        case .success: drop()
        case .failure(let failure):
            if !failure.code.isTransient {
                refusals += 1
                if refusals >= Self.refusalLimit {
                    log("containerd does not take event \(waiting[0].topic): \(failure.message)")
                    return drop()
                }
            }
            later(delay) { [self] in
                isSending = false
                advance()
            }
            delay = min(delay * 2, Self.longestDelay)
        }
    }

    private func drop() {
        waiting.removeFirst()
        isSending = false
        refusals = 0
        delay = Self.firstDelay
        advance()
    }
}

extension StatusCode {
    /// The other side is not there, or not now.
    var isTransient: Bool { self == .unavailable || self == .deadlineExceeded || self == .cancelled }
}
