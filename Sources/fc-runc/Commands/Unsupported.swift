// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// runc's commands that fc-runc does not have yet: they are known, and say so.
protocol UnsupportedCommand: RuntimeCommand {}

extension UnsupportedCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(commandName: name, abstract: "Not supported yet.")
    }

    func execute(_ context: Context) throws -> Int32 { throw UsageError.unsupported(command: Self.name) }
}

struct Checkpoint: UnsupportedCommand {
    static let name = "checkpoint"
    @Argument(parsing: .allUnrecognized, help: .hidden) var arguments: [String] = []
    @OptionGroup(visibility: .hidden) var global: GlobalOptions
}

struct Restore: UnsupportedCommand {
    static let name = "restore"
    @Argument(parsing: .allUnrecognized, help: .hidden) var arguments: [String] = []
    @OptionGroup(visibility: .hidden) var global: GlobalOptions
}
