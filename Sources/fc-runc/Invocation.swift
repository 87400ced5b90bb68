// SPDX-License-Identifier: Apache-2.0
import Linux

/// argv taken apart the way runc's flag package (Go's) does, and put together the way ArgumentParser wants it.
///
/// Go takes `-name` and `--name` alike, `-x=value` as well as `-x value`, and a value that begins with a dash.
/// Global options stand before the command, and are taken after it as well.
struct Invocation: Equatable {
    /// The global options before the command.
    var global: [String] = []
    /// The first argument that is no option; nil if all are.
    var command: String?
    /// All that comes after it.
    var arguments: [String] = []

    /// Options that take a value, in every command.
    static let valued: Set<String> = [
        // Global.
        "root", "log", "log-format", "engine", "config", "libexec", "kernel", "initramfs", "qemu",
        "generate-completion-script",
        // create, run, exec, spec.
        "b", "bundle", "console-socket", "pidfd-socket", "pid-file", "preserve-fds", "cwd", "e", "env", "u", "user",
        "g", "additional-gids", "p", "process", "process-label", "apparmor", "c", "cap", "cgroup",
        // list, ps.
        "format",
        // events.
        "interval",
        // update.
        "r", "resources", "blkio-weight", "cpu-period", "cpu-quota", "cpu-burst", "cpu-share", "cpu-rt-period",
        "cpu-rt-runtime", "cpu-idle", "cpuset-cpus", "cpuset-mems", "memory", "memory-reservation", "memory-swap",
        "pids-limit",
    ]
    /// Global options of runc's that mean nothing here: taken, with their values, and left out.
    static let ignored: Set<String> = ["criu", "rootless"]
    /// Commands whose `-f` is `--format` and not `--force`.
    static let formatted: Set<String> = ["list", "ps"]
    /// Commands that leave what follows the container's id alone: it is for another program.
    static let passing: Set<String> = ["exec", "ps"]

    /// `arguments` without the program's name.
    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let next = rest.first, Self.isOption(next) {
            rest.removeFirst()
            if next == "--" { break }
            let option = Self.option(next, &rest) { Self.valued.contains($0) || Self.ignored.contains($0) }
            let name = option.first?.before("=").after("--") ?? ""
            if !Self.ignored.contains(String(name)) { global += option }
        }
        guard let command = rest.popFirst() else { return }
        self.command = command
        let passes = Self.passing.contains(command)
        let formats = Self.formatted.contains(command)
        while let next = rest.popFirst() {
            if next == "--" {
                self.arguments.append("--")
                break
            }
            if Self.isOption(next) {
                self.arguments += Self.option(next, &rest) { Self.valued.contains($0) || formats && $0 == "f" }
            } else {
                self.arguments.append(next)
                if passes {
                    self.arguments.append("--")
                    break
                }
            }
        }
        self.arguments += rest
    }

    /// A lone dash is an argument.
    private static func isOption(_ argument: String) -> Bool { argument.utf8.count > 1 && argument.begins(with: "-") }

    /// One option with its value, which may be the next of `rest`, as ArgumentParser's `--name=value`.
    private static func option(
        _ argument: String, _ rest: inout ArraySlice<String>, isValued: (String) -> Bool
    ) -> [String] {
        let body = argument.after("--") ?? argument.after("-") ?? ""
        let parts = body.split(at: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let spelled = (name.utf8.count == 1 ? "-" : "--") + name
        if parts.count == 2 {
            // Go's booleans may say what they are.
            if !isValued(name), let value = boolean(String(parts[1])) { return value ? [spelled] : [] }
            return joined(spelled, String(parts[1]))
        }
        guard isValued(name), let value = rest.popFirst() else { return [spelled] }
        return joined(spelled, value)
    }

    /// ArgumentParser takes an empty value only as an argument of its own, and one with a dash only joined.
    private static func joined(_ name: String, _ value: String) -> [String] {
        value.isEmpty ? [name, ""] : ["\(name)=\(value)"]
    }

    private static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }
}
