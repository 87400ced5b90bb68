// SPDX-License-Identifier: Apache-2.0
/// The name of a container, a pod or a process of exec: also that of a folder and of a cgroup.
///
/// The rule is runc's: `[A-Za-z0-9_+.-]`, not `.` or `..`. What bounds it there is the longest name a file can have.
public struct ContainerID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The most bytes: NAME_MAX of limits.h.
    public static let byteLimit = 255
    /// The most bytes of an identifier of containerd's.
    public static let containerdByteLimit = 76

    /// The id as it was given.
    public let rawValue: String

    /// nil where `rawValue` breaks the rule.
    public init?(rawValue: String) {
        guard Self.hasNameForm(rawValue), rawValue.utf8.count <= Self.byteLimit else { return nil }
        self.rawValue = rawValue
    }

    /// The id as it was given.
    public var description: String { rawValue }

    /// Whether `text` is a name by runc's rule, however long.
    public static func hasNameForm(_ text: String) -> Bool {
        !text.isEmpty && text != "." && text != ".."
            && text.utf8.allSatisfy { isAlphanumeric($0) || "_+.-".utf8.contains($0) }
    }

    /// Whether `text` is an identifier as containerd has them, for containers and namespaces: letters and digits, and `.`, `_`
    /// and `-` between them. containerd takes single ones of those only, this any number.
    public static func isContainerdIdentifier(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        return hasNameForm(text) && text.utf8.count <= containerdByteLimit && isAlphanumeric(first)
            && isAlphanumeric(last) && !text.utf8.contains(UInt8(ascii: "+"))
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
