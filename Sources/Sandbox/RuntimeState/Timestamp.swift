// SPDX-License-Identifier: Apache-2.0
import Linux

/// A moment, in UTC.
public struct Timestamp: Hashable, Sendable {
    /// Since 1970.
    public var seconds: Int64
    /// 0 to 999 999 999.
    public var nanoseconds: Int64

    /// Seconds and nanoseconds since 1970, UTC.
    public init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// The present moment, of CLOCK_REALTIME.
    public static func now() -> Timestamp {
        let time = SystemTime.realtime()
        return Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds)
    }

    /// RFC 3339 to the second, as logrus writes it.
    public var rfc3339: String { text(fraction: "") }

    /// RFC 3339 with as many digits of the nanoseconds as are not trailing zeros, as Go's RFC3339Nano.
    public var rfc3339Nanoseconds: String {
        var digits = Self.padded(nanoseconds, 9)
        while digits.last == "0" { digits.removeLast() }
        return text(fraction: digits.isEmpty ? "" : "." + digits)
    }

    private func text(fraction: String) -> String {
        let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
        let second = seconds - day * 86400
        let date = Self.date(ofDay: day)
        return Self.padded(date.year, 4) + "-" + Self.padded(date.month, 2) + "-" + Self.padded(date.day, 2) + "T"
            + Self.padded(second / 3600, 2) + ":" + Self.padded(second / 60 % 60, 2) + ":"
            + Self.padded(second % 60, 2) + fraction + "Z"
    }

    /// The Gregorian date of a day counted from 1970. Years are taken to begin in March, so that the leap day
    /// is a year's last and the months' lengths repeat: 153 days in five.
    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let fromMarch0 = day + 719_468
        let era = (fromMarch0 >= 0 ? fromMarch0 : fromMarch0 - 146_096) / 146_097
        let dayOfEra = fromMarch0 - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
