// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import Testing

@Suite("FileSystem: polling")
struct PollingTests {
    @Test("Polling starts after a short sleep and stops after a long one")
    func learnsFromSleeps() {
        var polling = Polling()
        #expect(polling.duration == 0)
        polling.slept(1_000_000)
        #expect(polling.duration == 0)
        polling.slept(20_000)
        #expect(polling.duration == Polling.limit)
        polling.slept(1_000_000)
        #expect(polling.duration == 0)
    }

    @Test("Three misses in a row stop polling for 500 sleeps")
    func givesUpForAWhile() {
        var polling = Polling()
        polling.slept(20_000)
        polling.missed()
        polling.missed()
        // A hit begins the count again.
        polling.found()
        polling.missed()
        polling.missed()
        #expect(polling.duration > 0)
        polling.missed()
        #expect(polling.duration == 0)
        for _ in 0..<500 {
            polling.slept(20_000)
            #expect(polling.duration == 0)
        }
        polling.slept(20_000)
        #expect(polling.duration > 0)
    }
}
