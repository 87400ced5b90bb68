// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import fc_runc

@Suite("fc-runc: events") struct EventsTests {
    private func parse(_ arguments: [String]) throws -> Events {
        let invocation = Invocation(arguments)
        return try Events.parse(invocation.global + invocation.arguments)
    }

    @Test("The events command takes runc's options and one container")
    func asRunc() throws {
        let plain = try parse(["events", "c"])
        #expect(plain.interval == "5s" && !plain.stats && plain.containerID == "c")
        let once = try parse(["events", "-stats", "-interval", "1m30s", "c"])
        #expect(once.interval == "1m30s" && once.stats)
        // Refused later, in other words.
        #expect(try parse(["events", "--interval", "-1s", "c"]).interval == "-1s")
        #expect(throws: (any Error).self) { try parse(["events"]) }
        #expect(throws: (any Error).self) { try parse(["events", "a", "b"]) }
    }

    @Test("An invalid interval is refused in runc's words")
    func anIntervalThatIsNone() throws {
        let error = try #require(throws: (any Error).self) { try parse(["events", "--interval", "5", "c"]) }
        #expect(Events.message(for: error) == "invalid value \"5\" for flag -interval: parse error")
    }

    @Test(
        "Durations in Go's format are parsed",
        arguments: [
            ("5s", 5_000_000_000), ("100ms", 100_000_000), ("1m30s", 90_000_000_000), ("1h", 3_600_000_000_000),
            ("0", 0), ("-0", 0), ("0s", 0), ("+5s", 5_000_000_000), ("-1.5s", -1_500_000_000), ("1.5m", 90_000_000_000),
            (".5s", 500_000_000), ("5.s", 5_000_000_000), ("1us", 1000), ("1µs", 1000), ("1μs", 1000), ("7ns", 7),
            ("1.9999999999s", 1_999_999_999), ("0.000000001s", 1), ("0.0000000001s", 0), ("0.25ns", 0),
            ("9223372036854775807ns", Int64.max), ("2562047h47m16.854775807s", Int64.max),
        ] as [(String, Int64)])
    func lengths(_ text: String, _ nanoseconds: Int64) {
        #expect(GoDuration.parse(text) == .nanoseconds(nanoseconds))
    }

    @Test(
        "Durations that Go does not accept are refused",
        arguments: [
            "", "5", "-", "+", "s", ".s", "5 s", "5S", "1d", "1s5", "--5s", "5s-1s", "1e3s", "0x5s", "\u{665}s", "5s\n",
            "9223372036854775808ns", "2562048h", "18446744073709551616ns", "99999999999999999999h",
            "9223372036s9223372036s",
        ])
    func noLengths(_ text: String) {
        #expect(GoDuration.parse(text) == nil)
    }
}
