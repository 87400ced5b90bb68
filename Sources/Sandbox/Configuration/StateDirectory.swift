// SPDX-License-Identifier: Apache-2.0
import Linux

/// Where containers' states are kept. Ids are unique in one directory: the command line's has one, and each of
/// containerd's namespaces.
public enum StateDirectory {
    /// The command line's, as root.
    public static let standard = "/run/fc-runc"
    /// What holds a directory for each of containerd's namespaces.
    public static let containerd = "/run/containerd/fc-runc"

    /// - Parameter base: a directory in place of the usual one; nil: the usual.
    public static func ofNamespace(_ namespace: String, below base: String? = nil) -> String {
        "\(base ?? containerd)/\(namespace)"
    }

    /// Those of containerd's namespaces that are there, by name.
    public static func namespaces(below base: String = containerd) -> [String] {
        guard let directory = try? FileDescriptor.open(base, [.directory, .noFollow]),
            let entries = try? Directory.entries(of: directory.borrowed)
        else { return [] }
        return entries.filter(\.isDirectory).map { "\(base)/\($0.name)" }.sorted()
    }

    /// The one that holds the container: `own`, or else one of a namespace's.
    ///
    /// - Throws: `ambiguousContainer` where more than one namespace has a container of that name, and `own` has none.
    public static func holding(
        _ id: String, own: String, namespacesBelow base: String = containerd
    ) throws(ConfigurationError) -> String {
        func holds(_ directory: String) -> Bool { (try? FileDescriptor.open("\(directory)/\(id)", .path)) != nil }
        // An invalid name belongs to no namespace, and is refused where names are checked.
        guard !id.isEmpty, !id.utf8.contains(UInt8(ascii: "/")), id != ".", id != "..", !holds(own) else { return own }
        let holding = namespaces(below: base).filter(holds)
        guard holding.count < 2 else { throw .ambiguousContainer(id: id, directories: holding) }
        return holding.first ?? own
    }
}
