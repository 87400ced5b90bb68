// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OCISpec
import Sandbox

struct Events: ContainerCommand {
    static let name = "events"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Print what a container uses, and when its memory ran out, as JSON.",
        discussion: "A line at each interval, until the container stops; a line whenever its memory ran out.")

    @Option(help: "How often, as 5s, 100ms or 1m30s.")
    var interval = "5s"

    @Flag(help: "Print what it uses now, and no more.")
    var stats = false

    @Argument(help: "The container.")
    var containerID: String

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func validate() throws {
        // In the words of Go's flag package, which is runc's.
        if GoDuration.parse(interval) == nil {
            throw ValidationError("invalid value \"\(interval)\" for flag -interval: parse error")
        }
    }

    func execute(_ context: Context) throws -> Int32 {
        // Zero is refused, once the container was found.
        let interval = GoDuration.parse(interval) ?? .zero
        let verb = stats ? context.runtime.statistics : context.runtime.events
        try verb(containerID, interval) { Output.write($0.encoded()) }
        return 0
    }
}
