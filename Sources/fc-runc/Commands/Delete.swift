import ArgumentParser
import Sandbox

struct Delete: ContainerCommand {
    static let name = "delete"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Remove a container that has stopped.")

    @Flag(name: .shortAndLong, help: "Kill it first where it has not; no error where there is none.")
    var force = false

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.delete(containerID, force: force)
        return 0
    }
}
