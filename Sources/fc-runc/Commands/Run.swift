// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sandbox

struct Run: RuntimeCommand {
    static let name = "run"
    static let failurePrefix = "fc-runc run failed: "
    static let configuration = CommandConfiguration(commandName: name, abstract: "Create a container and start it.")

    @OptionGroup var bundle: BundleOptions

    @Flag(name: .shortAndLong, help: "Return once the container's process runs.")
    var detach = false

    @Flag(help: "Keep the container when its process has ended.")
    var keep = false

    @Flag(help: "Taken for runc's callers: processes are reaped in the guest.")
    var noSubreaper = false

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        var request = RunRequest(create: try bundle.request())
        request.detaches = detach
        request.keeps = keep
        return try context.runtime.run(request)
    }
}
