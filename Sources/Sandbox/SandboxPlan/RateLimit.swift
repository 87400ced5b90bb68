// SPDX-License-Identifier: Apache-2.0
/// How much may pass in how much time.
public struct RateLimit: Hashable, Sendable {
    /// What a full bucket holds, in bytes or operations: as much passes at once at most.
    public var size: UInt64
    /// Passes once, at the beginning, on top.
    public var burst: UInt64
    /// The time an empty bucket takes to be full again. Counted in nanoseconds, a part of one as a whole one.
    public var refill: Duration

    /// `size` and `burst` in bytes or operations.
    public init(size: UInt64, burst: UInt64 = 0, refill: Duration) {
        self.size = size
        self.burst = burst
        self.refill = refill
    }

    /// A bucket of no size, or one that is full again at once, limits nothing.
    public var isUnlimited: Bool { size == 0 || refill <= .zero }
}

/// The limits of a device, or of one direction of it; nil limits nothing.
public struct RateLimits: Hashable, Sendable {
    /// Of bytes.
    public var bandwidth: RateLimit?
    /// Of requests, frames or whatever the device does one by one.
    public var operations: RateLimit?

    /// What is nil is not limited.
    public init(bandwidth: RateLimit? = nil, operations: RateLimit? = nil) {
        self.bandwidth = bandwidth
        self.operations = operations
    }

    /// Everything passes.
    public static let unlimited = RateLimits()
}
