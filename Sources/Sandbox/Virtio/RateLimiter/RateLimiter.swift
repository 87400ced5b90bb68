// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan
internal import Synchronization

/// Holds bytes and operations to their limits. One thread's; ``PendingLimits`` brings it new ones.
public struct RateLimiter: Sendable {
    /// Of the clock that the device loop goes by.
    public typealias Instant = ContinuousClock.Instant

    private var bandwidth: TokenBucket?
    private var operations: TokenBucket?

    /// Full buckets, from `now` on.
    public init(_ limits: RateLimits = .unlimited, now: Instant) {
        bandwidth = Self.bucket(limits.bandwidth, now)
        operations = Self.bucket(limits.operations, now)
    }

    /// Whether everything passes.
    public var isUnlimited: Bool { bandwidth == nil && operations == nil }

    /// Takes so much of both, or nothing of either.
    ///
    /// - Returns: nil where it may pass, else when to ask again.
    public mutating func consume(bytes: UInt64, operations count: UInt64 = 1, now: Instant) -> Instant? {
        if isUnlimited { return nil }
        let later = Self.later(
            bandwidth?.deadline(for: bytes, now: now), operations?.deadline(for: count, now: now))
        if let later { return later }
        charge(bytes: bytes, operations: count)
        return nil
    }

    /// When a first byte and operation may pass; nil for now. For what has a size only afterwards: then
    /// ``charge(bytes:operations:)`` it.
    public mutating func nextPass(now: Instant) -> Instant? {
        if isUnlimited { return nil }
        return Self.later(bandwidth?.deadline(for: 1, now: now), operations?.deadline(for: 1, now: now))
    }

    /// Takes so much of both, and owes what lacks.
    public mutating func charge(bytes: UInt64, operations count: UInt64 = 1) {
        bandwidth?.charge(bytes)
        operations?.charge(count)
    }

    /// Puts back what was taken for something that did not come to pass.
    public mutating func giveBack(bytes: UInt64, operations count: UInt64 = 1) {
        bandwidth?.giveBack(bytes)
        operations?.giveBack(count)
    }

    /// New limits: a bucket whose limit stays goes on as it is, the others begin full.
    public mutating func update(_ limits: RateLimits, now: Instant) {
        if bandwidth?.limit != limits.bandwidth { bandwidth = Self.bucket(limits.bandwidth, now) }
        if operations?.limit != limits.operations { operations = Self.bucket(limits.operations, now) }
    }

    private static func bucket(_ limit: RateLimit?, _ now: Instant) -> TokenBucket? {
        guard let limit, !limit.isUnlimited else { return nil }
        return TokenBucket(limit, now: now)
    }

    private static func later(_ first: Instant?, _ second: Instant?) -> Instant? {
        guard let first else { return second }
        guard let second else { return first }
        return max(first, second)
    }
}

/// New limits on their way to the thread that has the limiter. The poster has to wake that thread.
public final class PendingLimits: Sendable {
    private let limits = Mutex<RateLimits?>(nil)
    private let isThere = Atomic<Bool>(false)

    /// Nothing is pending.
    public init() {}

    /// Any thread's. The last post counts.
    public func post(_ new: RateLimits) {
        limits.withLock { $0 = new }
        isThere.store(true, ordering: .releasing)
    }

    /// What was posted, once; where there is nothing, no lock is taken.
    public func take() -> RateLimits? {
        guard isThere.load(ordering: .relaxed), isThere.exchange(false, ordering: .acquiring) else { return nil }
        return limits.withLock { $0.take() }
    }
}
