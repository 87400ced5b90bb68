// SPDX-License-Identifier: Apache-2.0
import TTRPC
import Testing

@testable import TaskService

/// Events reach containerd in order, whatever becomes of it meanwhile.
@Suite struct EventQueueTests {
    /// containerd, and the time.
    final class Receiver {
        private(set) var sent: [String] = []
        private(set) var delays: [Duration] = []
        private(set) var log: [String] = []
        private var settle: [(Result<Void, Failure>) -> Void] = []
        private var dues: [() -> Void] = []
        private(set) var queue: EventQueue!

        init() {
            queue = EventQueue(
                send: { [unowned self] event, done in
                    sent.append(event.topic)
                    settle.append(done)
                },
                later: { [unowned self] delay, body in
                    delays.append(delay)
                    dues.append(body)
                }, log: { [unowned self] in log.append($0) })
        }

        func publish(_ topic: String, isNotice: Bool = false) {
            queue.publish(EventQueue.Event(topic: topic, bytes: [], isNotice: isNotice))
        }

        func answer(_ result: Result<Void, Failure>) { settle.removeFirst()(result) }

        func pass() {
            let now = dues
            dues = []
            for due in now { due() }
        }
    }

    let away: Result<Void, Failure> = .failure(Failure(.unavailable, "connection refused"))

    @Test("Events are sent one at a time")
    func oneIsSentAtATime() {
        let receiver = Receiver()
        receiver.publish("a")
        receiver.publish("b")
        #expect(receiver.sent == ["a"])
        receiver.answer(.success(()))
        #expect(receiver.sent == ["a", "b"])
        #expect(receiver.queue.isEmpty == false)
        receiver.answer(.success(()))
        #expect(receiver.queue.isEmpty)
    }

    @Test("No event overtakes one that could not be sent")
    func nothingOvertakesWhatCouldNotBeSent() {
        let receiver = Receiver()
        receiver.publish("a")
        receiver.publish("b")
        for _ in 0..<20 {
            receiver.answer(away)
            #expect(receiver.queue.isEmpty == false)
            receiver.pass()
        }
        receiver.answer(.success(()))
        receiver.answer(.success(()))
        #expect(receiver.sent == [String](repeating: "a", count: 21) + ["b"])
        #expect(receiver.log == [])
    }

    @Test("The delay between retries doubles up to a limit, and starts anew after a success")
    func triesLaterEachTime() {
        let receiver = Receiver()
        receiver.publish("a")
        for _ in 0..<9 {
            receiver.answer(away)
            receiver.pass()
        }
        let milliseconds = [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]
        #expect(receiver.delays == milliseconds.map { .milliseconds($0) })
        receiver.answer(.success(()))
        receiver.publish("b")
        receiver.answer(away)
        #expect(receiver.delays.last == .milliseconds(50))
    }

    @Test("An event that containerd keeps refusing is logged and given up")
    func whatContainerdRefusesIsGivenUpAndLogged() {
        let receiver = Receiver()
        receiver.publish("a")
        receiver.publish("b")
        for _ in 0..<EventQueue.refusalLimit {
            receiver.answer(.failure(Failure(.invalidArgument, "no such namespace")))
            receiver.pass()
        }
        #expect(receiver.sent.last == "b")
        #expect(receiver.log == ["containerd does not take event a: no such namespace"])
    }

    @Test("Queued notices are bounded, and exits are never dropped")
    func noticesAreBoundedAndEndsAreNot() {
        let receiver = Receiver()
        for _ in 0..<1000 { receiver.publish("oom", isNotice: true) }
        for _ in 0..<1000 { receiver.publish("exit") }
        for _ in 0..<(EventQueue.noticeLimit + 1000) { receiver.answer(.success(())) }
        #expect(receiver.queue.isEmpty)
        #expect(receiver.sent.count { $0 == "oom" } == EventQueue.noticeLimit)
        #expect(receiver.sent.count { $0 == "exit" } == 1000)
    }
}
