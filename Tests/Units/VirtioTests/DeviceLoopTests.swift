// SPDX-License-Identifier: Apache-2.0
import Linux
import Synchronization
import TestSupport
import Testing
import Virtio

/// A work that counts its turns, and does in them what it is told.
private final class ScriptedWork: DeviceWork, @unchecked Sendable {
    // @unchecked: the script is set before the loop has it.
    let event: EventFD
    private let turnsTaken = Atomic<Int>(0)
    private let isAtWork = Atomic<Bool>(false)
    private let script: (ScriptedWork, Int, ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant?

    init(
        _ script: @escaping (ScriptedWork, Int, ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant?
    ) throws {
        event = try EventFD()
        self.script = script
    }

    var turns: Int { turnsTaken.load(ordering: .sequentiallyConsistent) }
    var isWorking: Bool { isAtWork.load(ordering: .sequentiallyConsistent) }
    var readiness: BorrowedDescriptor { event.descriptor.borrowed }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        isAtWork.store(true, ordering: .sequentiallyConsistent)
        defer { isAtWork.store(false, ordering: .sequentiallyConsistent) }
        event.drain()
        let turn = turnsTaken.add(1, ordering: .sequentiallyConsistent).newValue
        return try script(self, turn, now)
    }

    func waitForTurns(_ count: Int) -> Bool {
        let patience = Deadline(after: .seconds(10))
        while turns < count {
            if patience.hasPassed { return false }
            SystemTime.sleep(milliseconds: 1)
        }
        return true
    }
}

@Suite("The loop that devices share")
struct DeviceLoopTests {
    @Test("A work gets a first turn and then one for each readiness, added before the loop or later")
    func turns() throws {
        let served = try ServedLoop(starts: false)
        let work = try ScriptedWork { (_, _, _) throws(VirtioError) in nil }
        try served.loop.add(work) { _ in }
        try served.start()
        #expect(work.waitForTurns(1))
        let later = try ScriptedWork { (_, _, _) throws(VirtioError) in nil }
        try served.loop.add(later) { _ in }
        #expect(later.waitForTurns(1))
        for turn in 2...20 {
            work.event.signal()
            #expect(work.waitForTurns(turn))
        }
        SystemTime.sleep(milliseconds: 30)
        #expect(work.turns == 20 && later.turns == 1)
    }

    @Test("Deadlines are kept in order, and a work that is always due starves no other")
    func deadlines() throws {
        let served = try ServedLoop()
        let order = Mutex<[Int]>([])
        let works = try [60, 20, 40].map { milliseconds in
            try ScriptedWork { (_, turn, now) throws(VirtioError) in
                if turn == 1 { return now + .milliseconds(milliseconds) }
                order.withLock { $0.append(milliseconds) }
                return nil
            }
        }
        let greedy = try ScriptedWork { (_, turn, now) throws(VirtioError) in now }
        let start = ContinuousClock.now
        for work in works { try served.loop.add(work) { _ in } }
        for work in works { #expect(work.waitForTurns(2)) }
        #expect(order.withLock { $0 } == [20, 40, 60])
        #expect(start.duration(to: .now) >= .milliseconds(60))
        try served.loop.add(greedy) { _ in }
        #expect(greedy.waitForTurns(100))
        let patient = works[0]
        patient.event.signal()
        #expect(patient.waitForTurns(3))
        served.loop.remove(greedy)
        let turns = greedy.turns
        SystemTime.sleep(milliseconds: 5)
        #expect(greedy.turns == turns)
    }

    @Test("A work that throws leaves the loop and is reported once; the others go on")
    func failure() throws {
        let served = try ServedLoop()
        let log = FailureLog()
        let other = try ScriptedWork { (_, _, _) throws(VirtioError) in nil }
        try served.loop.add(other) { _ in }
        let loop = served.loop
        let broken = try ScriptedWork { (_, turn, _) throws(VirtioError) in
            if turn == 2 { throw .queueMissing(4) }
            return nil
        }
        try loop.add(broken) { error in
            log.note(error)
            // From within its own failure.
            loop.remove(broken)
        }
        #expect(broken.waitForTurns(1))
        broken.event.signal()
        #expect(broken.waitForTurns(2))
        broken.event.signal()
        for turn in 2...10 {
            other.event.signal()
            #expect(other.waitForTurns(turn))
        }
        #expect(log.all == [.queueMissing(4)])
        #expect(broken.turns == 2)
        // It may come again.
        try loop.add(broken) { log.note($0) }
        #expect(broken.waitForTurns(3))
    }

    @Test("A removed work gets no turn after the removal has returned")
    func removal() throws {
        let served = try ServedLoop()
        for _ in 0..<200 {
            let work = try ScriptedWork { (_, _, now) throws(VirtioError) in
                for _ in 0..<10 { SystemTime.sleep(milliseconds: 0) }
                return now
            }
            try served.loop.add(work) { _ in }
            #expect(work.waitForTurns(1))
            served.loop.remove(work)
            #expect(!work.isWorking)
            let turns = work.turns
            SystemTime.sleep(milliseconds: 1)
            #expect(work.turns == turns)
            served.loop.remove(work)
        }
    }

    @Test("What is called between turns never meets one, and a work that is not on the loop has none")
    func betweenTurns() throws {
        let served = try ServedLoop()
        let work = try ScriptedWork { (_, _, now) throws(VirtioError) in
            for _ in 0..<10 { SystemTime.sleep(milliseconds: 0) }
            return now
        }
        var calls = 0
        served.loop.betweenTurns(of: work) { calls += 1 }
        try served.loop.add(work) { _ in }
        #expect(work.waitForTurns(1))
        for _ in 0..<200 {
            served.loop.betweenTurns(of: work) {
                let turns = work.turns
                SystemTime.sleep(milliseconds: 0)
                #expect(!work.isWorking && work.turns == turns)
                calls += 1
            }
        }
        #expect(work.waitForTurns(work.turns + 1), "it goes on")
        served.loop.remove(work)
        #expect(throws: Errno.badFileDescriptor) {
            try served.loop.betweenTurns(of: work) { () throws(Errno) in throw .badFileDescriptor }
        }
        #expect(calls == 201)
    }

    @Test("A work may take itself off, and others")
    func removalFromWithin() throws {
        let served = try ServedLoop()
        let loop = served.loop
        let victim = try ScriptedWork { (_, _, now) throws(VirtioError) in now }
        try loop.add(victim) { _ in }
        let work = try ScriptedWork { (work, turn, now) throws(VirtioError) in
            if turn == 3 {
                loop.remove(victim)
                loop.remove(work)
            }
            return now
        }
        try loop.add(work) { _ in }
        #expect(work.waitForTurns(3))
        SystemTime.sleep(milliseconds: 5)
        #expect(work.turns == 3)
        let turns = victim.turns
        SystemTime.sleep(milliseconds: 5)
        #expect(victim.turns == turns)
    }

    @Test("A work is added only once, and gets no turn after the loop has ended")
    func refusals() throws {
        let served = try ServedLoop()
        let work = try ScriptedWork { (_, _, _) throws(VirtioError) in nil }
        try served.loop.add(work) { _ in }
        #expect(work.waitForTurns(1))
        #expect(throws: Errno.exists) { try served.loop.add(work) { _ in } }
        work.event.signal()
        #expect(work.waitForTurns(2))
        #expect(served.end() == nil)
        work.event.signal()
        SystemTime.sleep(milliseconds: 5)
        #expect(work.turns == 2)
        served.loop.remove(work)
    }
}
