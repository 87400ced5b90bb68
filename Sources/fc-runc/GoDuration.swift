// SPDX-License-Identifier: Apache-2.0
/// Lengths of time as Go's time.ParseDuration reads them: decimal numbers, each with an optional fraction and a unit,
/// one after another, with one sign before: `5s`, `1.5h`, `1m30s`, `-2us`. A lone 0 needs no unit.
enum GoDuration {
    /// Nanoseconds.
    private static let units: [String: UInt64] = [
        "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
        "h": 3_600_000_000_000,
    ]

    /// nil where the text is none, or more than 2^63 - 1 nanoseconds.
    static func parse(_ text: String) -> Duration? {
        var rest = text.unicodeScalars[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if String(rest) == "0" { return .zero }
        if rest.isEmpty { return nil }
        var total: UInt64 = 0
        while !rest.isEmpty {
            guard let part = part(&rest) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow, sum <= UInt64(Int64.max) else { return nil }
            total = sum
        }
        return .nanoseconds(isNegative ? -Int64(total) : Int64(total))
    }

    /// A number and its unit, in nanoseconds, taken off `rest`.
    private static func part(_ rest: inout Substring.UnicodeScalarView) -> UInt64? {
        let whole = digits(&rest)
        var fraction = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = digits(&rest)
        }
        if whole.isEmpty, fraction.isEmpty { return nil }
        let name = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
        rest = rest.dropFirst(name.count)
        guard let unit = units[String(name)], let count = whole.isEmpty ? 0 : UInt64(whole) else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        if overflow { return nil }
        // Digits below a nanosecond are dropped.
        var value: UInt64 = 0
        var scale = unit
        for digit in fraction.utf8 where scale > 1 {
            // Units are at most 3.6e12: ten times that is far from 2^64.
            value += UInt64(digit - UInt8(ascii: "0")) * scale / 10
            scale /= 10
        }
        let (sum, carry) = product.addingReportingOverflow(value)
        return carry ? nil : sum
    }

    private static func digits(_ rest: inout Substring.UnicodeScalarView) -> String {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        return String(digits)
    }
}
