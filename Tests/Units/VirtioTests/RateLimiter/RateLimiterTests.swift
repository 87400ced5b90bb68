// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Virtio
import Testing

private let start = ContinuousClock.now
private func at(_ time: Duration) -> ContinuousClock.Instant { start.advanced(by: time) }

/// A limiter behind a reference: the macros of the tests take what they look at for constant.
private final class Limiter {
    private var limiter: RateLimiter

    init(_ limits: RateLimits = .unlimited) { limiter = RateLimiter(limits, now: start) }

    var isUnlimited: Bool { limiter.isUnlimited }
    func consume(bytes: UInt64, operations: UInt64 = 1, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        limiter.consume(bytes: bytes, operations: operations, now: now)
    }
    func nextPass(now: ContinuousClock.Instant) -> ContinuousClock.Instant? { limiter.nextPass(now: now) }
    func charge(bytes: UInt64) { limiter.charge(bytes: bytes) }
    func giveBack(bytes: UInt64) { limiter.giveBack(bytes: bytes) }
    func update(_ limits: RateLimits) { limiter.update(limits, now: start) }
}

@Suite("RateLimiter: limits") struct RateLimiterTests {
    @Test("A limiter without limits, or with limits of zero, lets everything pass")
    func withoutLimitsEverythingPasses() {
        let limiter = Limiter()
        #expect(limiter.isUnlimited)
        #expect(limiter.consume(bytes: .max, operations: .max, now: start) == nil)
        let zero = Limiter(
            RateLimits(
                bandwidth: RateLimit(size: 0, refill: .seconds(1)), operations: RateLimit(size: 5, refill: .zero)))
        #expect(zero.isUnlimited)
        #expect(zero.nextPass(now: start) == nil)
    }

    @Test("A request passes only when bandwidth and operations both allow it")
    func bothMustAllow() {
        let limiter = Limiter(
            RateLimits(
                bandwidth: RateLimit(size: 1000, refill: .seconds(1)),
                operations: RateLimit(size: 2, refill: .seconds(1))))
        #expect(limiter.consume(bytes: 600, now: start) == nil)
        // Refused for its bytes, which takes no operation either.
        #expect(limiter.consume(bytes: 600, now: start) == at(.milliseconds(200)))
        #expect(limiter.consume(bytes: 100, now: start) == nil)
        #expect(limiter.consume(bytes: 0, now: start) == at(.milliseconds(500)))
        // The later of the two.
        #expect(limiter.consume(bytes: 1000, now: start) == at(.milliseconds(700)))
        limiter.giveBack(bytes: 100)
        #expect(limiter.consume(bytes: 400, now: start) == nil)
    }

    @Test("Bytes charged after the fact delay the next pass until they are refilled")
    func whatHasPassedIsOwed() {
        let limiter = Limiter(RateLimits(bandwidth: RateLimit(size: 1000, refill: .seconds(1))))
        #expect(limiter.nextPass(now: start) == nil)
        limiter.charge(bytes: 3000)
        #expect(limiter.nextPass(now: start) == at(.milliseconds(2001)))
        #expect(limiter.nextPass(now: at(.milliseconds(2001))) == nil)
    }

    @Test("An update keeps the state of the limits that it does not change")
    func updatesKeepWhatStays() {
        let bandwidth = RateLimit(size: 1000, refill: .seconds(1))
        let limiter = Limiter(
            RateLimits(bandwidth: bandwidth, operations: RateLimit(size: 1, refill: .seconds(1))))
        #expect(limiter.consume(bytes: 1000, now: start) == nil)
        limiter.update(RateLimits(bandwidth: bandwidth, operations: RateLimit(size: 9, refill: .seconds(1))))
        #expect(limiter.consume(bytes: 0, now: start) == nil)
        #expect(limiter.consume(bytes: 1, now: start) == at(.milliseconds(1)))
        limiter.update(.unlimited)
        #expect(limiter.consume(bytes: .max, now: start) == nil)
    }

    @Test("The latest posted limits are taken once")
    func newLimitsAreHandedOverOnce() {
        let pending = PendingLimits()
        #expect(pending.take() == nil)
        let limits = RateLimits(operations: RateLimit(size: 1, refill: .seconds(1)))
        pending.post(.unlimited)
        pending.post(limits)
        #expect(pending.take() == limits)
        #expect(pending.take() == nil)
    }
}
