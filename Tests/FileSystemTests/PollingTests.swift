@testable import FileSystem
import Testing

@Suite struct PollingTests {
    @Test func learnsFromSleeps() {
        var polling = Polling()
        #expect(polling.duration == 0)
        polling.slept(1_000_000)
        #expect(polling.duration == 0)
        polling.slept(20_000)
        #expect(polling.duration == Polling.limit)
        polling.slept(1_000_000)
        #expect(polling.duration == 0)
    }

    @Test func givesUpForAWhile() {
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
