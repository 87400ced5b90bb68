// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Virtio
import Testing

private let start = ContinuousClock.now
private func at(_ time: Duration) -> ContinuousClock.Instant { start.advanced(by: time) }

/// A bucket behind a reference: the macros of the tests take what they look at for constant.
private final class Bucket {
    private var bucket: TokenBucket

    init(_ limit: RateLimit) { bucket = TokenBucket(limit, now: start) }

    func consume(_ amount: UInt64, now: ContinuousClock.Instant) -> Bool { bucket.consume(amount, now: now) }
    func charge(_ amount: UInt64) { bucket.charge(amount) }
    func giveBack(_ amount: UInt64) { bucket.giveBack(amount) }
    func deadline(for amount: UInt64, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        bucket.deadline(for: amount, now: now)
    }
}

@Suite("RateLimiter: token bucket") struct TokenBucketTests {
    @Test("A bucket starts full and gives no more than its size at once")
    func fullInTheBeginningThenNothing() {
        let bucket = Bucket(RateLimit(size: 1000, refill: .seconds(1)))
        for _ in 0..<10 { #expect(bucket.consume(100, now: start)) }
        #expect(!bucket.consume(1, now: start))
    }

    @Test("A bucket refills evenly, and no further than its size")
    func fillsEvenlyAndNoFurtherThanItsSize() {
        let bucket = Bucket(RateLimit(size: 1000, refill: .seconds(1)))
        #expect(bucket.consume(1000, now: start))
        #expect(!bucket.consume(500, now: at(.milliseconds(499))))
        #expect(bucket.consume(500, now: at(.milliseconds(500))))
        #expect(bucket.consume(1000, now: at(.seconds(100))))
        #expect(!bucket.consume(1, now: at(.seconds(100))))
    }

    @Test("The burst passes once and is not refilled")
    func theBurstPassesOnce() {
        let bucket = Bucket(RateLimit(size: 100, burst: 50, refill: .seconds(1)))
        #expect(bucket.consume(150, now: start))
        #expect(!bucket.consume(1, now: start))
        #expect(!bucket.consume(101, now: at(.milliseconds(999))))
        #expect(bucket.consume(100, now: at(.seconds(9))))
        #expect(!bucket.consume(1, now: at(.seconds(9))))
    }

    @Test("A refused request takes no tokens")
    func refusalTakesNothing() {
        let bucket = Bucket(RateLimit(size: 100, burst: 7, refill: .seconds(1)))
        #expect(bucket.consume(90, now: start))
        #expect(!bucket.consume(50, now: start))
        #expect(bucket.consume(17, now: start))
    }

    @Test("A request larger than the bucket passes when it is full, and the rest is owed")
    func whatIsLargerThanTheBucketPassesWhenFullAndIsOwed() {
        let bucket = Bucket(RateLimit(size: 100, refill: .seconds(1)))
        #expect(bucket.consume(1, now: start))
        #expect(!bucket.consume(1000, now: start))
        #expect(bucket.deadline(for: 1000, now: start) == at(.milliseconds(10)))
        #expect(bucket.consume(1000, now: at(.milliseconds(10))))
        // 900 are owed: nine seconds, and a hundredth for the next token.
        #expect(bucket.deadline(for: 1, now: at(.milliseconds(10))) == at(.milliseconds(9020)))
        #expect(!bucket.consume(1, now: at(.milliseconds(9019))))
        #expect(bucket.consume(1, now: at(.milliseconds(9020))))
    }

    @Test(
        "No token is lost to rounding over many small steps",
        arguments: [
            RateLimit(size: 3, refill: .nanoseconds(7)), RateLimit(size: 7, refill: .nanoseconds(3)),
            RateLimit(size: 10_007, refill: .milliseconds(999)), RateLimit(size: 1, refill: .seconds(86_400)),
        ])
    func nothingIsLostOverManySmallSteps(limit: RateLimit) {
        let bucket = Bucket(limit)
        #expect(bucket.consume(limit.size, now: start))
        var passed: UInt64 = 0
        var now = start
        let step = limit.refill / 997
        // Ten refills in small steps that divide nothing: ten buckets, whatever is still in it.
        while now < start.advanced(by: limit.refill * 10) {
            now = now.advanced(by: max(step, .nanoseconds(1)))
            while bucket.consume(1, now: now) { passed += 1 }
        }
        let elapsed = start.duration(to: now)
        let exact = Double(limit.size) * (elapsed / limit.refill)
        #expect(abs(Double(passed) - exact.rounded(.down)) <= 1)
    }

    @Test("The deadline is the first nanosecond at which a request passes")
    func theDeadlineIsTheFirstMomentThatWillDo() throws {
        let bucket = Bucket(RateLimit(size: 3, refill: .seconds(1)))
        #expect(bucket.consume(3, now: start))
        let deadline = try #require(bucket.deadline(for: 1, now: start))
        #expect(deadline == at(.nanoseconds(333_333_334)))
        #expect(!bucket.consume(1, now: deadline.advanced(by: .nanoseconds(-1))))
        #expect(bucket.consume(1, now: deadline))
        #expect(bucket.deadline(for: 0, now: deadline) == nil)
    }

    @Test("Tokens given back can be used again, burst included, up to a full bucket")
    func givenBackIsThereAgain() {
        let bucket = Bucket(RateLimit(size: 100, burst: 10, refill: .seconds(1)))
        #expect(bucket.consume(60, now: start))
        bucket.giveBack(60)
        // The burst as well, and no more than there was.
        #expect(bucket.consume(110, now: start))
        bucket.giveBack(1000)
        #expect(bucket.consume(110, now: start))
        #expect(!bucket.consume(1, now: start))
    }

    @Test("Fractions of a nanosecond add up to a token")
    func partsOfANanosecondAddUp() {
        let bucket = Bucket(RateLimit(size: 1_000_000_000, refill: .seconds(1)))
        #expect(bucket.consume(1_000_000_000, now: start))
        var now = start
        for _ in 0..<4 { now = now.advanced(by: Duration(secondsComponent: 0, attosecondsComponent: 250_000_000)) }
        #expect(bucket.consume(1, now: now))
        #expect(!bucket.consume(1, now: now))
    }

    @Test("Extreme sizes, durations and charges overflow nothing")
    func nothingOverflows() {
        let bucket = Bucket(RateLimit(size: .max, burst: .max, refill: .seconds(Int64.max)))
        for _ in 0..<8 { _ = bucket.consume(.max, now: start) }
        for _ in 0..<8 { bucket.charge(.max) }
        _ = bucket.deadline(for: .max, now: start)
        for _ in 0..<8 { bucket.giveBack(.max) }
        #expect(bucket.consume(1, now: start.advanced(by: .seconds(1_000_000_000))))
        let small = Bucket(RateLimit(size: 1, refill: .seconds(Int64.max)))
        for _ in 0..<8 { small.charge(.max) }
        _ = small.deadline(for: .max, now: start)
        #expect(!small.consume(1, now: start.advanced(by: .seconds(1_000_000))))
    }

    @Test("A clock that stands still or goes back refills nothing")
    func aClockThatStandsOrGoesBackGivesNothing() {
        let bucket = Bucket(RateLimit(size: 10, refill: .seconds(1)))
        #expect(bucket.consume(10, now: start))
        #expect(!bucket.consume(1, now: at(.seconds(-5))))
        #expect(!bucket.consume(1, now: start))
        #expect(bucket.consume(1, now: at(.milliseconds(100))))
    }
}
