// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TestSupport
import Testing

@Suite("A container's root")
struct RootDirectoryTests {
    let scratch = Scratch()

    /// To String a slash and a combining mark after it are one character; to the kernel a slash is a slash.
    @Test(
        "A link in a container's root never leads out of it, whatever follows the slash",
        arguments: ["name", "\u{301}name", "\u{200d}"])
    func names(name: String) throws {
        let outside = try scratch.directory("outside")
        let inside = try scratch.directory("root")
        unsafe #expect(symlink(outside, inside + "/link") == 0)
        let root = RootDirectory(descriptor: try FileDescriptor.open(inside, [.path, .directory]))
        _ = try root.open("/link/\(name)/below", creating: .directories)
        #expect(throws: Errno.noSuchFile) { _ = try FileDescriptor.open("\(outside)/\(name)", .path) }
        _ = try FileDescriptor.open("\(inside)\(outside)/\(name)/below", .path)
    }
}
