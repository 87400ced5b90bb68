// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import VMM

@Suite("The console's log is bounded")
struct ConsoleLogTests {
    private let limits = ConsoleLog.Limits(head: 10, tail: 4, pause: .seconds(1))

    /// What the file holds after `pieces`, each a second after the other.
    private func file(_ pieces: [String]) -> String {
        var log = ConsoleLog(start: 0, limits: limits)
        var file: [UInt8] = []
        func put(_ write: ConsoleLog.Write?) {
            guard let write else { return }
            let end = Int(write.offset) + write.bytes.count
            if file.count < end { file += [UInt8](repeating: 0, count: end - file.count) }
            file.replaceSubrange(Int(write.offset)..<end, with: write.bytes)
        }
        var now = Duration.zero
        for piece in pieces {
            put(log.take(Array(piece.utf8), now: now))
            if let deadline = log.deadline, deadline <= now { put(log.flush(now: now)) }
            now += .seconds(1)
        }
        put(log.flush(now: now))
        return String(decoding: file, as: UTF8.self)
    }

    private func marker(_ count: UInt64) -> String { String(decoding: ConsoleLog.marker(count), as: UTF8.self) }

    @Test("A short log is kept whole")
    func littleIsKeptWhole() {
        #expect(file(["abc", "defg", "hij"]) == "abcdefghij")
    }

    @Test("Of a long log the beginning and the end are kept")
    func theBeginningAndTheEndOfMuch() {
        #expect(file(["0123456789ab"]) == "0123456789" + marker(0) + "ab")
        #expect(file(["0123456789abcdefgh"]) == "0123456789" + marker(4) + "efgh")
        #expect(file(["012345", "6789a", "bcdefghijklmnop", "q"]) == "0123456789" + marker(13) + "nopq")
    }

    @Test("A flood neither grows the file beyond its limit nor rewrites it often")
    func aFloodGrowsTheFileNoFurther() {
        var log = ConsoleLog(start: 100, limits: limits)
        var end: UInt64 = 100
        var writes = 0
        for step in 0..<10_000 {
            let now = Duration.milliseconds(step)
            var made = [log.take(Array("0123456789".utf8), now: now)]
            if let deadline = log.deadline, deadline <= now { made.append(log.flush(now: now)) }
            for case let write? in made {
                end = max(end, write.offset + UInt64(write.bytes.count))
                writes += 1
            }
        }
        #expect(end <= 100 + UInt64(log.sizeLimit))
        #expect(writes <= 12, "rewritten more often than once a second")
    }

    @Test("The marker for omitted bytes has the same length for every count")
    func theMarkerHasOneLength() {
        #expect(Set([0, 9, 10, UInt64.max].map { ConsoleLog.marker($0).count }).count == 1)
    }
}
