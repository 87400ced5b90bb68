// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The command table.
struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fc-runc",
        abstract: "Run OCI containers, each in a virtual machine of its own.",
        discussion: """
            fc-runc takes runc's command line. A container is made from a bundle, a directory with a config.json \
            and a root file system, and runs under a Linux kernel of its own:

              # fc-runc spec -b BUNDLE
              # fc-runc run -b BUNDLE NAME

            fc-runc(8) tells more; fc-runc.toml(5) is on the configuration file.
            """,
        subcommands: commands)

    static let commands: [any RuntimeCommand.Type] = [
        Check.self, Checkpoint.self, Create.self, Delete.self, Events.self, Exec.self, FeaturesCommand.self, Kill.self,
        List.self, Pause.self, ProcessList.self, Restore.self, Resume.self, Run.self, SpecCommand.self, Start.self,
        StateCommand.self, Update.self,
    ]

    static func command(named name: String) -> (any RuntimeCommand.Type)? {
        commands.first { $0.name == name }
    }

    @OptionGroup var global: GlobalOptions
}

/// One of runc's commands: a file of Commands/.
protocol RuntimeCommand: ParsableCommand {
    static var name: String { get }
    /// What comes before the error in the message, and the exit status: runc's, for each.
    static var failurePrefix: String { get }
    static var failureStatus: Int32 { get }

    var global: GlobalOptions { get }
    /// - Returns: the exit status.
    func execute(_ context: Context) throws -> Int32
}

/// A command about a container that is there.
protocol ContainerCommand: RuntimeCommand {
    var containerID: String { get }
}

extension RuntimeCommand {
    static var failurePrefix: String { "" }
    static var failureStatus: Int32 { 1 }
}
