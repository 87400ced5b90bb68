// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import ArgumentParser
import Sandbox

struct ProcessList: ContainerCommand {
    static let name = "ps"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "List the processes of a container.")

    @Option(name: .shortAndLong, help: "table or json.")
    var format = "table"

    @Argument(help: "The container.")
    var containerID: String

    @Argument(help: "Options as of ps(1): -ef and its kin, which is what is shown anyway.")
    var options: [String] = []

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        // The host's ps sees none of the guest's processes, so its options cannot be handed on.
        for option in options where !["-e", "-f", "-ef", "-fe", "-A"].contains(option) {
            throw UsageError.unsupportedOption("ps option \(option)", reason: "the processes are in a virtual machine")
        }
        switch format {
        case "table": Output.write(Self.table(try context.runtime.processes(containerID)))
        case "json":
            // For programs, which hold these against the host's list: the processes of the host that stand for them.
            let pids = try context.runtime.standingProcesses(containerID)
            Output.write("[" + pids.map { "\($0)" }.joined(separator: ",") + "]\n")
        default: throw UsageError.format(format)
        }
        return 0
    }

    static func table(_ processes: [ProcessEntry]) -> String {
        let rows = processes.map { process in
            [
                "\(process.uid)", "\(process.pid)", "\(process.parentPID)",
                process.terminal.isEmpty ? "?" : process.terminal, time(process.cpuTicks), process.command,
            ]
        }
        return Table.text([["UID", "PID", "PPID", "TTY", "TIME", "CMD"]] + rows, minimumWidth: 8, padding: 2)
    }

    /// Hours, minutes and seconds of processor time.
    private static func time(_ ticks: UInt64) -> String {
        let seconds = ticks / 100
        return [seconds / 3600, seconds / 60 % 60, seconds % 60]
            .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
    }
}
