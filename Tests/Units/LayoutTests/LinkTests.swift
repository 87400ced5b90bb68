// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The programs that run beside a guest stay small: none of them links Foundation. Looked for in the release
/// binaries themselves, by a name that every one of Foundation's symbols or strings carries.
@Suite struct LinkTests {
    static let out = Manifest.root.appendingPathComponent("out")
    static let programs = [
        "libexec/fc-runc/fc-vmm", "libexec/fc-runc/fc-fsd", "libexec/fc-runc/fc-jailer", "libexec/fc-runc/fc-proxy",
        "guest-init",
    ]

    static var isBuilt: Bool {
        (programs + ["bin/fc-runc"]).allSatisfy {
            FileManager.default.fileExists(atPath: out.appendingPathComponent($0).path)
        }
    }

    private func holdsFoundation(_ program: String) throws -> Bool {
        try Data(contentsOf: Self.out.appendingPathComponent(program)).range(of: Data("FoundationEssentials".utf8))
            != nil
    }

    @Test(
        "The programs that run beside a guest link no Foundation",
        .enabled(if: isBuilt, "the release programs are not in out/: make build"), arguments: programs)
    func linksNoFoundation(program: String) throws {
        #expect(try !holdsFoundation(program))
    }

    /// fc-runc does use it: were it not found there, the test above could not fail.
    @Test(
        "The search for Foundation finds it in fc-runc, which links it",
        .enabled(if: isBuilt, "the release programs are not in out/: make build"))
    func theLookingFinds() throws {
        #expect(try holdsFoundation("bin/fc-runc"))
    }
}
