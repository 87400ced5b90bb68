// SPDX-License-Identifier: Apache-2.0
import Configuration
import ArgumentParser
import OCISpec

struct FeaturesCommand: RuntimeCommand {
    static let name = "features"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Print what of the runtime-spec is supported, as JSON.")

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        Output.write(Features(annotations: ["fc-runc.version": Version.number]).encoded())
        return 0
    }
}
