// SPDX-License-Identifier: Apache-2.0
import CCapability
import Glibc

/// The bounding set of the calling thread held to a list, capabilities(7), by number (CAP_CHOWN is 0).
public enum CapabilityLimit {
    /// Takes every capability that is not in `kept` from the bounding set: no exec brings it back.
    /// Needs CAP_SETPCAP.
    public static func setBounding(to kept: [Int32]) throws(Errno) {
        for capability in 0..<cap_max_bits() where !kept.contains(capability) {
            // Not there: nothing to drop, and no right to drop it is needed.
            guard cap_get_bound(capability) == 1 else { continue }
            guard cap_drop_bound(capability) == 0 else { throw Errno(rawValue: errno) }
        }
    }
}
