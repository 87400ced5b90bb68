// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sandbox

struct Start: ContainerCommand {
    static let name = "start"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Run the process of a created container.")

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.start(containerID)
        return 0
    }
}
