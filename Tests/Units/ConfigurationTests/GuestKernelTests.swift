// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing

@testable import Sandbox
@testable import SandboxPlan
@testable import Configuration

/// Which kernel a guest gets, and what is said beside it.
@Suite struct GuestKernelTests {
    /// Makes a directory with `files`, by name and content; gone after `body`.
    func withFiles(_ files: [(String, String)], _ body: (String) throws -> Void) throws {
        let directory = "/tmp/fc-guest-kernel-\(UInt32.random(in: 0 ... .max))"
        try Directory.make(directory, mode: 0o700)
        try Directory.make(directory + "/trimmed", mode: 0o700)
        defer {
            for (name, _) in files { unsafe _ = unlink("\(directory)/\(name)") }
            unsafe _ = rmdir(directory + "/trimmed")
            unsafe _ = rmdir(directory)
        }
        for (name, content) in files {
            let file = try FileDescriptor.open("\(directory)/\(name)", [.create, .writeOnly], mode: 0o644)
            try file.writeAll(Array(content.utf8))
        }
        try body(directory)
    }

    @Test("A program that was copied away from what belongs to it finds that in a usual place")
    func aProgramElsewhere() throws {
        try withFiles([]) { directory in
            #expect(Installation.prefix(besides: "/nonexistent", [directory]) == "/nonexistent")
            try Directory.make(directory + "/libexec", mode: 0o700)
            try Directory.make(directory + "/libexec/fc-runc", mode: 0o700)
            defer {
                try? Directory.remove(directory + "/libexec/fc-runc", isDirectory: true)
                try? Directory.remove(directory + "/libexec", isDirectory: true)
            }
            #expect(Installation.prefix(besides: "/nonexistent", ["/none", directory]) == directory)
            #expect(Installation.prefix(besides: directory, ["/usr"]) == directory)
        }
    }

    @Test("The trimmed kernel is used only when its initramfs is there too")
    func theTrimmedKernelIsTakenWhenAllOfItIsThere() throws {
        try withFiles([("trimmed/vmlinux", ""), ("trimmed/initramfs.cpio", "")]) {
            #expect(Installation.guestDirectory($0) == $0 + "/trimmed")
        }
        try withFiles([("trimmed/vmlinux", "")]) { #expect(Installation.guestDirectory($0) == $0) }
        try withFiles([]) { #expect(Installation.guestDirectory($0) == $0) }
    }

    @Test(
        "The file beside a kernel selects how it finds its devices",
        arguments: [
            (nil, DeviceDiscovery.firmware), ("firmware\n", .firmware), ("command-line\n", .commandLine),
            ("command-line", .commandLine),
        ])
    func theFileBesideAKernelSaysHowItFindsItsDevices(content: String?, discovery: DeviceDiscovery) throws {
        let file = content.map { [("vmlinux.devices", $0)] } ?? []
        try withFiles(file) { directory in
            let found = try DeviceDiscovery.besideKernel(directory + "/vmlinux")
            #expect(found == discovery)
        }
    }

    @Test(
        "A devices file with any other content is refused with its path",
        arguments: ["", "\n", "mmio", "command-line firmware", "COMMAND-LINE", "command-line\0"])
    func anyOtherWordIsRefusedByTheFilesName(content: String) throws {
        try withFiles([("vmlinux.devices", content)]) { directory in
            let error = #expect(throws: RuntimeError.self) {
                _ = try DeviceDiscovery.besideKernel(directory + "/vmlinux")
            }
            #expect(error?.description == "\(directory)/vmlinux.devices: must be one of firmware, command-line")
        }
    }

    @Test("A devices file that is too long is refused")
    func aFileThatIsTooLongIsRefused() throws {
        try withFiles([("vmlinux.devices", String(repeating: "x", count: 65))]) { directory in
            #expect(throws: RuntimeError.self) { _ = try DeviceDiscovery.besideKernel(directory + "/vmlinux") }
        }
    }
}
