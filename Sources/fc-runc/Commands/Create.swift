// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sandbox

struct Create: RuntimeCommand {
    static let name = "create"
    static let failurePrefix = "fc-runc create failed: "
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Create a container; start runs its process.")

    @OptionGroup var bundle: BundleOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.create(bundle.request())
        return 0
    }
}
