// SPDX-License-Identifier: Apache-2.0
/// Paths as the kernel reads them: by bytes. To String a slash with a combining mark after it is one character, and no
/// slash, so that a name would be taken for one that the kernel takes for two.
extension String {
    /// The names between the slashes; empty ones are none.
    public var pathNames: [String] { utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) } }

    /// It begins with a slash.
    public var isAbsolutePath: Bool { utf8.first == UInt8(ascii: "/") }

    /// The absolute path without empty names, `.` and `..`, by its text: no symlink is looked at.
    public var cleanedPath: String {
        var names: [String] = []
        for name in pathNames where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }
}
