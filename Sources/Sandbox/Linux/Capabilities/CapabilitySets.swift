// SPDX-License-Identifier: Apache-2.0
import CCapability
import Glibc

/// The five sets of the calling thread, capabilities(7), as bit masks by capability number.
public struct CapabilitySets: Hashable, Sendable {
    /// What exec can grant.
    public var bounding: UInt64
    /// What the kernel checks.
    public var effective: UInt64
    /// What can be made effective.
    public var permitted: UInt64
    /// What exec of a file with inheritable capabilities keeps.
    public var inheritable: UInt64
    /// What exec of any file keeps.
    public var ambient: UInt64

    /// Sets for ``applyBounding()`` and ``apply()``.
    public init(bounding: UInt64, effective: UInt64, permitted: UInt64, inheritable: UInt64, ambient: UInt64) {
        self.bounding = bounding
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
        self.ambient = ambient
    }

    /// Takes what `bounding` lacks from the bounding set. Needs CAP_SETPCAP, so it comes before ``apply()``.
    public func applyBounding() throws(Errno) {
        try CapabilityLimit.setBounding(to: Self.numbers(in: bounding))
    }

    /// Sets the permitted, effective, inheritable and ambient sets. What the kernel does not know is left out,
    /// and what it does not allow in the ambient set is, too.
    public func apply() throws(Errno) {
        guard cap_reset_ambient() == 0 else { throw Errno(rawValue: errno) }
        // libcap's own allocation, freed below; the lists are read during the calls only.
        guard let sets = unsafe cap_init() else { throw Errno(rawValue: errno) }
        defer { _ = unsafe cap_free(UnsafeMutableRawPointer(sets)) }
        for (flag, mask) in [(CAP_PERMITTED, permitted), (CAP_EFFECTIVE, effective), (CAP_INHERITABLE, inheritable)] {
            let numbers = Self.numbers(in: mask)
            guard !numbers.isEmpty else { continue }
            guard unsafe cap_set_flag(sets, flag, Int32(numbers.count), numbers, CAP_SET) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
        guard unsafe cap_set_proc(sets) == 0 else { throw Errno(rawValue: errno) }
        for capability in Self.numbers(in: ambient & permitted & inheritable) {
            guard cap_set_ambient(capability, CAP_SET) == 0 else { throw Errno(rawValue: errno) }
        }
    }

    /// The capabilities of `mask` that this kernel knows.
    static func numbers(in mask: UInt64) -> [Int32] {
        (0..<min(64, cap_max_bits())).filter { mask >> UInt64($0) & 1 == 1 }
    }
}
