// SPDX-License-Identifier: Apache-2.0
import Configuration
import ArgumentParser
import Glibc
import Linux
import Sandbox

/// fc-runc: from the command line to the exit status.
enum Program {
    static func main() -> Never {
        exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// - Returns: the exit status.
    static func run(_ arguments: [String]) -> Int32 {
        let invocation = Invocation(arguments)
        if invocation.global.contains(where: { $0 == "--version" || $0 == "-v" }) {
            Output.write(Version.text)
            return 0
        }
        guard let command = invocation.command, command != "help", command != "h" else {
            return help(invocation)
        }
        // Only the one command's type is looked into: with the whole table, start-up takes twice as long.
        guard let type = Root.command(named: command) else {
            Log.standardError.write(.error, "No help topic for '\(command)'")
            return 3
        }
        return run(type, invocation)
    }

    private static func run<Command: RuntimeCommand>(_ type: Command.Type, _ invocation: Invocation) -> Int32 {
        let command: Command
        do {
            command = try Command.parse(invocation.global + invocation.arguments)
        } catch {
            return misuse(type, error, invocation)
        }
        let context: Context
        do {
            context = try Context(command.global, container: (command as? any ContainerCommand)?.containerID)
        } catch {
            Log.standardError.write(.error, "\(error)")
            return 1
        }
        do {
            return try command.execute(context)
        } catch {
            context.log.fatal(type.failurePrefix + "\(error)")
            return type.failureStatus
        }
    }

    private static func misuse<Command: RuntimeCommand>(
        _ type: Command.Type, _ error: any Error, _ invocation: Invocation
    ) -> Int32 {
        let text = Root.helpMessage(for: type) + "\n"
        if Command.exitCode(for: error) == .success {
            Output.write(text)
            return 0
        }
        let message = Command.message(for: error)
        Output.write("Incorrect Usage: \(message)\n\n\(text)", to: .standardError)
        // The caller may read the log and not what is printed.
        let log = (try? GlobalOptions.parse(invocation.global)).flatMap { try? Log($0) } ?? .standardError
        log.write(.error, message)
        return 1
    }

    /// Help on the program or one command, and what ArgumentParser gives: completion scripts.
    private static func help(_ invocation: Invocation) -> Int32 {
        if let topic = invocation.arguments.first {
            guard let type = Root.command(named: topic) else {
                Log.standardError.write(.error, "No help topic for '\(topic)'")
                return 3
            }
            Output.write(Root.helpMessage(for: type) + "\n")
            return 0
        }
        do {
            _ = try Root.parse(invocation.global)
        } catch {
            let isFine = Root.exitCode(for: error) == .success
            Output.write(Root.fullMessage(for: error) + "\n", to: isFine ? .standardOutput : .standardError)
            return isFine ? 0 : 1
        }
        Output.write(Root.helpMessage() + "\n")
        return 0
    }
}
