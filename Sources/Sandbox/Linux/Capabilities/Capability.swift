// SPDX-License-Identifier: Apache-2.0
import CCapability

/// One capability, by the kernel's number.
public struct Capability: RawRepresentable, Hashable, Sendable {
    /// CAP_CHOWN is 0, <linux/capability.h>.
    public let rawValue: Int32

    /// The capability of this number, known or not.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The one of this name, as `CAP_KILL`; nil for a name that libcap does not know.
    public init?(name: String) {
        // cap_from_name(3) takes numbers as well, which are no names.
        guard name.uppercased().utf8.starts(with: "CAP_".utf8), !name.utf8.contains(0) else { return nil }
        var number: cap_value_t = 0
        guard unsafe cap_from_name(name.lowercased(), &number) == 0 else { return nil }
        rawValue = number
    }
}
