// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sandbox

struct Delete: ContainerCommand {
    static let name = "delete"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Remove a container that has stopped.")

    @Flag(
        name: .shortAndLong, help: "Kill the container first if it runs; a container that does not exist is no error.")
    var force = false

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.delete(containerID, force: force)
        return 0
    }
}
