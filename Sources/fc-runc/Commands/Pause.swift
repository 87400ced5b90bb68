// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Sandbox

struct Pause: ContainerCommand {
    static let name = "pause"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Stop the processes of a container until resume.")

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.pause(containerID)
        return 0
    }
}

struct Resume: ContainerCommand {
    static let name = "resume"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Let the processes of a paused container go on.")

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.resume(containerID)
        return 0
    }
}
