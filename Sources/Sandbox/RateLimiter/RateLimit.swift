/// How much may pass in how much time.
public struct RateLimit: Hashable, Sendable {
    /// What a full bucket holds, in bytes or operations: as much passes at once at most.
    public var size: UInt64
    /// Passes once, at the beginning, on top.
    public var burst: UInt64
    /// The time an empty bucket takes to be full again.
    public var refill: Duration

    public init(size: UInt64, burst: UInt64 = 0, refill: Duration) {
        self.size = size
        self.burst = burst
        self.refill = refill
    }
}
