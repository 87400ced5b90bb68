// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import TaskService

/// What the shim's loop does about time.
@Suite struct ShimLoopTests {
    @Test("Timers run in the order in which they are due")
    func whatIsDueIsDoneInItsOrder() throws {
        let loop = try ShimLoop()
        var seen: [String] = []
        loop.after(.milliseconds(40)) {
            seen.append("later")
            loop.stop()
        }
        loop.after(.milliseconds(20)) { seen.append("soon") }
        loop.after(.zero) { seen.append("now") }
        loop.after(.seconds(-1)) { seen.append("past") }
        try loop.run()
        #expect(seen == ["now", "past", "soon", "later"])
    }

    @Test("A timer does not run before it is due")
    func nothingIsDoneTooSoon() throws {
        let loop = try ShimLoop()
        let start = ContinuousClock.now
        loop.after(.milliseconds(30)) { loop.stop() }
        try loop.run()
        #expect(ContinuousClock.now - start >= .milliseconds(30))
    }

    @Test("A turn ends at its limit although the next timer is further off")
    func aTurnEndsAtItsLimit() throws {
        let loop = try ShimLoop()
        loop.after(.seconds(100)) { Issue.record("too soon") }
        let start = ContinuousClock.now
        try loop.turn(limit: .milliseconds(10))
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("A cancelled timer does not run, even when it is due in the same round")
    func whatIsCancelledIsNotDone() throws {
        let loop = try ShimLoop()
        let timer = loop.after(.zero) { Issue.record("cancelled") }
        loop.cancel(timer)
        loop.cancel(timer)
        // The next one is due in the same round.
        var victim: ShimLoop.Timer?
        loop.after(.zero) { victim.map(loop.cancel) }
        victim = loop.after(.zero) { Issue.record("cancelled") }
        loop.after(.milliseconds(5)) { loop.stop() }
        try loop.run()
    }

    /// What is put off to at once waits for its round: nothing else starves.
    @Test("A timer that renews itself at once does not starve descriptors")
    func whatPutsItselfOffLeavesOthersTheirTurn() throws {
        let loop = try ShimLoop()
        let event = try EventFD()
        var rounds = 0
        func again() {
            rounds += 1
            loop.after(.zero, again)
            if rounds == 3 { event.signal() }
        }
        _ = try loop.watch(event.descriptor.borrowed, .readable) { _ in loop.stop() }
        again()
        try loop.run()
        #expect(rounds == 4)
    }

    /// Workers have their turn before each wait, and are called again when they asked to be.
    @Test("A worker is called on readiness and at the time it asks for")
    func workersAreCalledWhenTheyAsk() throws {
        let loop = try ShimLoop()
        let event = try EventFD()
        var calls: [ContinuousClock.Instant] = []
        try loop.add(event.descriptor.borrowed) { now in
            calls.append(now)
            if calls.count == 2 { event.signal() }
            if calls.count == 3 {
                event.drain()
                loop.stop()
            }
            return calls.count == 1 ? now + .milliseconds(20) : nil
        }
        loop.after(.seconds(100)) { Issue.record("too soon") }
        // The third turn is what stops it.
        for _ in 0..<3 { try loop.turn(limit: .seconds(20)) }
        #expect(calls.count == 3)
        #expect(calls[1] - calls[0] >= .milliseconds(20))
    }

    @Test("Quiet is reported once until something happens again")
    func quietIsToldOnce() throws {
        let loop = try ShimLoop()
        var count = 0
        loop.whenQuiet = { count += 1 }
        loop.after(.milliseconds(10)) {}
        let start = ContinuousClock.now
        while count == 0 { try loop.turn(limit: .milliseconds(100)) }
        #expect(ContinuousClock.now - start >= ShimLoop.quietTime)
        try loop.turn(limit: .milliseconds(20))
        #expect(count == 1)
        // Something happens again.
        loop.after(.zero) {}
        while count == 1 { try loop.turn(limit: .seconds(20)) }
        #expect(ContinuousClock.now - start >= ShimLoop.quietTime * 2)
    }
}
