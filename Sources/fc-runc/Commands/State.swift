// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OCISpec
import Sandbox

struct StateCommand: ContainerCommand {
    static let name = "state"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Print the state of a container, as JSON.")

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        Output.write(try context.runtime.state(containerID).encoded())
        return 0
    }
}
