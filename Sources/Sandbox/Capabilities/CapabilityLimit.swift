import CCapability
import Glibc
public import Linux

/// Capabilities of the calling thread held to a list, capabilities(7), by number (CAP_CHOWN is 0).
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

    /// Makes the permitted, effective, inheritable and ambient sets hold `kept` and nothing else, so that a
    /// program of any user has just these after exec.
    public static func set(to kept: [Int32]) throws(Errno) {
        guard cap_reset_ambient() == 0 else { throw Errno(rawValue: errno) }
        // libcap's own allocation, freed below; the list is read during the calls only.
        guard let sets = unsafe cap_init() else { throw Errno(rawValue: errno) }
        defer { _ = unsafe cap_free(UnsafeMutableRawPointer(sets)) }
        for flag in [CAP_PERMITTED, CAP_EFFECTIVE, CAP_INHERITABLE] where !kept.isEmpty {
            guard unsafe cap_set_flag(sets, flag, Int32(kept.count), kept, CAP_SET) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
        guard unsafe cap_set_proc(sets) == 0 else { throw Errno(rawValue: errno) }
        for capability in kept {
            guard cap_set_ambient(capability, CAP_SET) == 0 else { throw Errno(rawValue: errno) }
        }
    }
}
