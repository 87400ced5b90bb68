// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// Where the guest's extended attributes are on the host.
///
/// `user.*` and POSIX ACLs are the same here and there. `trusted.*` and `security.*` mean rights and labels, which are
/// each machine's own: the guest's kernel says who may set them there, the host's must not act on them, and the host's
/// mean nothing there. They are kept in `user.fc-runc.*`, the whole name behind the prefix, and so only on regular files
/// and directories: for any other file the answer is the host's, EPERM. What the guest calls `user.fc-runc.*` gets the
/// prefix once more, so that no process there writes the others by this name.
///
/// `security.capability` alone keeps its name, see ``FileCapability``.
enum HostAttribute {
    case same
    case named([UInt8])
    case capability

    static let prefix: StaticString = "user.fc-runc."
    private static let capabilityName: StaticString = "security.capability"
    /// XATTR_NAME_MAX
    static let nameLimit = 255

    /// - Throws: `EOPNOTSUPP` for names that this server does not know: even if the host lets them be set, the guest
    ///   may not. `ERANGE` where the name is too long on the host.
    init(_ name: Name) throws(Errno) {
        if name.isEqual(Self.capabilityName) {
            self = .capability
        } else if name.hasPrefix("trusted.") || name.hasPrefix("security.") || name.hasPrefix(Self.prefix) {
            guard name.count + Self.prefix.utf8CodeUnitCount <= Self.nameLimit else { throw .outOfRange }
            self = .named(Self.prefixBytes + name.terminated)
        } else if name.hasPrefix("user.") || Self.isList(name) {
            self = .same
        } else {
            throw .notSupported
        }
    }

    private static var prefixBytes: [UInt8] {
        // A constant of the program, copied.
        unsafe Array(UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
    }

    /// Whether `name` is that of a POSIX ACL.
    static func isList(_ name: Name) -> Bool {
        name.isEqual("system.posix_acl_access") || name.isEqual("system.posix_acl_default")
    }

    /// What the guest calls the attribute that is called `name` on the host; nil where it sees none. `trusted.*` is shown
    /// to the `privileged`.
    static func guestName(_ name: Name, privileged: Bool) -> Name? {
        if name.hasPrefix(prefix) {
            let rest = name.dropping(prefix.utf8CodeUnitCount)
            if rest.hasPrefix("trusted.") { return privileged ? rest : nil }
            return rest.hasPrefix("security.") || rest.hasPrefix(prefix) ? rest : nil
        }
        return name.hasPrefix("user.") || isList(name) || name.isEqual(capabilityName) ? name : nil
    }
}

/// `security.capability`, struct vfs_ns_cap_data of <linux/capability.h>: rights that a program gets. An image's own
/// hold in the guest as they are. What the guest sets is kept with the user above 2^31 for whose namespaces alone it
/// holds, of which a host has none; so it arms no file there, and yet the host's kernel drops it where a write or a new
/// owner must drop it.
enum FileCapability {
    private static let revision2: UInt32 = 0x0200_0000
    private static let revision3: UInt32 = 0x0300_0000
    private static let revisionMask: UInt32 = 0xff00_0000
    private static let guestBit: UInt32 = 1 << 31

    /// The value as words; nil where it has another form.
    private static func words(_ bytes: [UInt8]) -> [UInt32]? {
        guard bytes.count == 20 || bytes.count == 24 else { return nil }
        let words: [UInt32] = stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        return words[0] & revisionMask == (words.count == 5 ? revision2 : revision3) ? words : nil
    }

    private static func bytes(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in [0, 8, 16, 24].map { shift in UInt8(truncatingIfNeeded: word >> shift) } }
    }

    /// - Throws: `EINVAL` for a value that is none, or of a user that the host keeps apart from the guest's.
    static func onHost(_ value: [UInt8]) throws(Errno) -> [UInt8] {
        guard var words = words(value) else { throw .invalidArgument }
        let root = words.count == 6 ? words[5] : 0
        // The last is no user's number.
        guard root & guestBit == 0, root != guestBit - 1 else { throw .invalidArgument }
        words[0] = words[0] & ~revisionMask | revision3
        return bytes(Array(words.prefix(5)) + [root | guestBit])
    }

    static func inGuest(_ value: [UInt8]) -> [UInt8] {
        guard var words = words(value), words.count == 6, words[5] & guestBit != 0 else { return value }
        let root = words[5] & ~guestBit
        if root != 0 { return bytes(Array(words.prefix(5)) + [root]) }
        words[0] = words[0] & ~revisionMask | revision2
        return bytes(Array(words.prefix(5)))
    }
}
