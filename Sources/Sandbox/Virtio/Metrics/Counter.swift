// SPDX-License-Identifier: Apache-2.0
public import Synchronization

/// A count that one thread adds to and any may read: no lock, no allocation, exact once the writer rests.
public final class Counter: Sendable {
    @usableFromInline let value = Atomic<UInt64>(0)

    /// At 0.
    @inlinable public init() {}

    /// By its one writer only.
    @inlinable @inline(__always)
    public func add(_ amount: UInt64 = 1) { value.wrappingAdd(amount, ordering: .relaxed) }

    /// Stands for a moment as for a size or a time: the last value set.
    @inlinable public func set(_ new: UInt64) { value.store(new, ordering: .relaxed) }

    /// What it says now; any thread may ask.
    @inlinable public var count: UInt64 { value.load(ordering: .relaxed) }
}
