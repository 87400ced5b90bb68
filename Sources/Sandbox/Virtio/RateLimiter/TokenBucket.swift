// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// A bucket that fills evenly up to its size, from which what passes is taken. It is full in the beginning.
///
/// The caller passes the time, which never goes back. What has flowed in is kept exactly, whatever the
/// instants: in units of a token divided by the nanoseconds of a whole refill.
public struct TokenBucket: Sendable {
    /// Of the clock that the device loop goes by.
    public typealias Instant = ContinuousClock.Instant

    /// As given.
    public let limit: RateLimit
    /// Nanoseconds from empty to full, at least 1.
    private let period: Int128
    /// A full bucket, below 2^127.
    private let capacity: Int128
    /// What is in it; below 0 what is owed.
    private var level: Int128
    /// What is left of the burst, in tokens.
    private var burst: UInt64
    /// Until when what flowed in is counted in `level`.
    private var filledAt: Instant

    /// - Parameter limit: not an unlimited one; that has no bucket.
    public init(_ limit: RateLimit, now: Instant) {
        self.limit = limit
        period = Swift.max(1, Self.nanoseconds(limit.refill, up: true))
        capacity = Int128(limit.size) * period
        level = capacity
        burst = limit.burst
        filledAt = now
    }

    /// Takes `amount` if that much may pass now, and nothing if not.
    ///
    /// What is more than the bucket holds passes when it is full, and is owed then: nothing waits for ever.
    public mutating func consume(_ amount: UInt64, now: Instant) -> Bool {
        fill(now: now)
        guard level >= need(amount) else { return false }
        charge(amount)
        return true
    }

    /// Takes `amount`, whatever is there: what lacks is owed. For what is known only after it has passed.
    public mutating func charge(_ amount: UInt64) {
        let fromBurst = Swift.min(burst, amount)
        burst -= fromBurst
        // The debt never grows so large that this wraps: it would take 2^63 refills.
        let (rest, overflow) = level.subtractingReportingOverflow(Int128(amount - fromBurst) * period)
        level = overflow ? .min : rest
    }

    /// Puts back what was taken for something that did not come to pass.
    public mutating func giveBack(_ amount: UInt64) {
        let (space, isDeep) = capacity.subtractingReportingOverflow(level)
        // What does not go into the bucket came from the burst.
        let intoBucket = isDeep ? amount : UInt64(Swift.min(Int128(amount), space / period))
        let (sum, overflow) = level.addingReportingOverflow(Int128(intoBucket) * period)
        level = overflow ? capacity : Swift.min(capacity, sum)
        let (more, tooMuch) = burst.addingReportingOverflow(amount - intoBucket)
        burst = tooMuch ? limit.burst : Swift.min(limit.burst, more)
    }

    /// When `amount` can pass, if nothing else does before; nil where it can now.
    public mutating func deadline(for amount: UInt64, now: Instant) -> Instant? {
        fill(now: now)
        let (missing, overflow) = need(amount).subtractingReportingOverflow(level)
        if overflow { return filledAt.advanced(by: .nanoseconds(Int64.max)) }
        guard missing > 0 else { return nil }
        let size = Int128(limit.size)
        let wait = (missing - 1) / size + 1
        return filledAt.advanced(by: .nanoseconds(Int64(clamping: wait)))
    }

    /// What has to be there for `amount` to pass.
    private func need(_ amount: UInt64) -> Int128 {
        Int128(Swift.min(amount - Swift.min(amount, burst), limit.size)) * period
    }

    private mutating func fill(now: Instant) {
        let elapsed = Self.nanoseconds(filledAt.duration(to: now), up: false)
        guard elapsed > 0 else { return }
        // By whole nanoseconds only, so that no part of one is lost.
        filledAt = filledAt.advanced(by: .nanoseconds(Int64(elapsed)))
        // Below 2^63 and 2^64, so the product fits; the sum may not.
        let (sum, overflow) = level.addingReportingOverflow(elapsed * Int128(limit.size))
        level = overflow ? capacity : Swift.min(capacity, sum)
    }

    /// At most 292 years.
    private static func nanoseconds(_ duration: Duration, up: Bool) -> Int128 {
        let (seconds, attoseconds) = duration.components
        let rest = Int128(attoseconds) + (up ? 999_999_999 : 0)
        return Swift.min(Int128(Int64.max), Int128(seconds) * 1_000_000_000 + rest / 1_000_000_000)
    }
}
