// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sandbox

struct Kill: ContainerCommand {
    static let name = "kill"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Send a signal to a container's process.")

    @Flag(name: .shortAndLong, help: "To all processes of the container.")
    var all = false

    @Argument(help: "The container.")
    var containerID: String

    @Argument(help: "The signal, by name or number.")
    var signal = "SIGTERM"

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.kill(containerID, signal: Signal.number(signal), all: all)
        return 0
    }
}
