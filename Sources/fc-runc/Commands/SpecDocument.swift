// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Configuration
import Glibc
import Linux
import OCISpec

struct SpecCommand: RuntimeCommand {
    static let name = "spec"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Write a config.json to start from into a bundle.")

    @Option(name: .shortAndLong, help: "The bundle. (default: the current directory)")
    var bundle: String?

    @Flag(help: "For a user who is not root.")
    var rootless = false

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        let path = AbsolutePath.of((bundle ?? ".") + "/config.json")
        let spec = rootless ? Spec.rootlessTemplate(uid: geteuid(), gid: getegid()) : Spec.template()
        do {
            let file = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o644)
            try file.writeAll(spec.encoded())
        } catch {
            throw error == .exists ? UsageError.specExists : UsageError.file(path, error)
        }
        return 0
    }
}
