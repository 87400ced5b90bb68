// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TestSupport
import Testing

@testable import Overlay

/// Overlays that are attached nowhere.
@Suite(.enabled(if: geteuid() == 0, "mounting takes root")) struct OverlayMountTests {
    let scratch = Scratch()

    private func options(_ extra: String...) throws -> OverlayOptions {
        // Names that a list of mount(8)'s could not hold as they are.
        let lower = try scratch.directory("lo:we,r\\d")
        _ = try scratch.write("below", to: "lo:we,r\\d/file")
        let other = try scratch.directory("other")
        _ = try scratch.write("hidden", to: "other/file")
        return try OverlayOptions(
            [
                "lowerdir=\(OverlayOptions.escaped(lower)):\(OverlayOptions.escaped(other))",
                "upperdir=" + OverlayOptions.escaped(try scratch.directory("up,per")),
                "workdir=" + OverlayOptions.escaped(try scratch.directory("work")),
            ] + extra)
    }

    /// Both ways that kernels take layers.
    @Test("An overlay shows its layers and writes to the upper directory", arguments: [false, true])
    func itShowsItsLayers(inOneList: Bool) throws {
        let mount = try OverlayMount(options("index=off")).make(inOneList: inOneList)
        let file = try FileDescriptor.open("file", at: mount.borrowed)
        #expect(try file.readAll(limit: 9) == Array("below".utf8))
        try FileDescriptor.open("new", at: mount.borrowed, [.writeOnly, .create], mode: 0o600)
            .writeAll(Array("x".utf8))
        #expect(scratch.exists("up,per/new"))
        #expect(!scratch.exists("lo:we,r\\d/new"))
    }

    @Test("An overlay without an upper directory is read-only")
    func withoutAnUpperDirectoryItIsReadOnly() throws {
        let options = try OverlayOptions(["lowerdir=\(try scratch.directory("a")):\(try scratch.directory("b"))"])
        let mount = try OverlayMount(options).make()
        #expect(throws: Errno.readOnlyFileSystem) {
            _ = try FileDescriptor.open("new", at: mount.borrowed, [.writeOnly, .create], mode: 0o600)
        }
    }

    @Test("A missing directory or unknown option of an overlay is named in the error")
    func whatIsMissingOrUnknownIsNamed() throws {
        let gone = try OverlayOptions(["lowerdir=\(scratch.path)/gone"])
        #expect(
            throws: OverlayError.directory(option: "lowerdir", path: scratch.path + "/gone", .noSuchFile)
        ) { _ = try OverlayMount(gone).make() }
        let error = #expect(throws: OverlayError.self) { _ = try OverlayMount(options("nonsense=1")).make() }
        #expect(error?.description.contains("\"nonsense=1\"") == true)
    }
}
