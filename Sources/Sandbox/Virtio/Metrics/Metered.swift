// SPDX-License-Identifier: Apache-2.0
/// What can be counted of, under the names that reach users: lower case, words joined by `_`, units last
/// (`read_bytes`, `stalled_us`).
public protocol Metered: AnyObject, Sendable {
    /// Name and value of each figure now, in a fixed order. Safe to read on any thread.
    var metrics: [Metric] { get }
}

/// One figure.
public struct Metric: Hashable, Sendable {
    /// Lower case, words joined by `_`, the unit last.
    public var name: String
    /// A count since the start, or a size for the moment.
    public var value: UInt64

    /// A figure that is no counter.
    public init(_ name: String, _ value: UInt64) {
        self.name = name
        self.value = value
    }

    /// What `counter` says now.
    public init(_ name: String, _ counter: Counter) {
        self.init(name, counter.count)
    }
}
