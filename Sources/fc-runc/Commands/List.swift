// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Linux
import OCISpec
import RuntimeState
import Sandbox

struct List: RuntimeCommand {
    static let name = "list"
    static let configuration = CommandConfiguration(commandName: name, abstract: "List the containers.")

    @Option(name: .shortAndLong, help: "table or json.")
    var format = "table"

    @Flag(name: .shortAndLong, help: "The containers' names only.")
    var quiet = false

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        let states = try states(context)
        if quiet {
            Output.write(states.map { $0.id + "\n" }.joined())
            return 0
        }
        switch format {
        case "table":
            let rows = states.map { [$0.id, "\($0.pid)", $0.status.rawValue, $0.bundle, $0.created, $0.owner] }
            Output.write(Table.text([["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]] + rows))
        case "json": Output.write(State.encoded(list: states))
        default: throw UsageError.format(format)
        }
        return 0
    }

    /// A container whose state is unreadable is reported, and the others are listed.
    private func states(_ context: Context) throws -> [State] {
        let users = UserNames.ofHost()
        let all = try ([context.runtime] + context.ofNamespaces).flatMap { try $0.list() }
        return all.compactMap { summary in
            switch summary {
            case .container(let record):
                var state = record.state
                state.owner = users[record.ownerUID]
                return state
            case .unreadable(let id, let error):
                Output.write("load container \(id): \(error)\n", to: .standardError)
                return nil
            }
        }
    }
}
