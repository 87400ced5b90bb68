// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RuntimeState

@Suite("RuntimeState: timestamps") struct TimestampTests {
    @Test(
        "A timestamp is formatted as an RFC 3339 date, leap days included",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_208_000, "2024-02-29T12:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ])
    func dates(_ seconds: Int64, _ text: String) {
        #expect(Timestamp(seconds: seconds).rfc3339 == text)
    }

    @Test(
        "Nanoseconds are formatted without trailing zeros",
        arguments: [
            (0, "Z"), (500_000_000, ".5Z"), (123_456_789, ".123456789Z"), (1, ".000000001Z"), (120, ".00000012Z"),
        ])
    func fractions(_ nanoseconds: Int64, _ tail: String) {
        #expect(
            Timestamp(seconds: 0, nanoseconds: nanoseconds).rfc3339Nanoseconds == "1970-01-01T00:00:00" + tail)
    }

    @Test("The current time is recent and does not go back")
    func now() {
        let a = Timestamp.now()
        let b = Timestamp.now()
        #expect(a.seconds > 1_700_000_000)
        #expect((a.seconds, a.nanoseconds) <= (b.seconds, b.nanoseconds))
    }
}
