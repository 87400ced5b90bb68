// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import fc_runc

@Suite("fc-runc: invocation") struct InvocationTests {
    @Test(
        "A command line in runc's style is split into globals, command and arguments",
        arguments: [
            // What there is none of.
            ("", [], nil, []),
            ("--debug", ["--debug"], nil, []),
            // Go's spellings of one and the same.
            ("--root /r state c", ["--root=/r"], "state", ["c"]),
            ("-root /r state c", ["--root=/r"], "state", ["c"]),
            ("-root=/r state c", ["--root=/r"], "state", ["c"]),
            ("--root=/r state c", ["--root=/r"], "state", ["c"]),
            ("run --b x c", [], "run", ["-b=x", "c"]),
            ("run -bundle x -d c", [], "run", ["--bundle=x", "-d", "c"]),
            // Booleans that say what they are.
            ("-debug=true run --detach=false c", ["--debug"], "run", ["c"]),
            ("run --detach=T c", [], "run", ["--detach", "c"]),
            // Values that look like options, or hold an equals sign.
            ("exec -e -x=1 -e A=b=c --cwd -d c sh", [], "exec", ["-e=-x=1", "-e=A=b=c", "--cwd=-d", "c", "--", "sh"]),
            ("--log --debug state c", ["--log=--debug"], "state", ["c"]),
            // What follows the container's id is another program's, for these two alone.
            ("exec -t c sh -c x -- -t", [], "exec", ["-t", "c", "--", "sh", "-c", "x", "--", "-t"]),
            ("ps c -ef --format json", [], "ps", ["c", "--", "-ef", "--format", "json"]),
            ("exec -- c sh", [], "exec", ["--", "c", "sh"]),
            ("delete c -f", [], "delete", ["c", "-f"]),
            ("kill c -all KILL", [], "kill", ["c", "--all", "KILL"]),
            // -f takes a value where it is --format.
            ("list -f json", [], "list", ["-f=json"]),
            ("ps -f json c", [], "ps", ["-f=json", "c", "--"]),
            ("delete -f c", [], "delete", ["-f", "c"]),
            // What runc's callers say and nobody here listens to.
            ("--rootless auto --criu /c --rootless=true state c", [], "state", ["c"]),
            ("spec --rootless", [], "spec", ["--rootless"]),
            // A value that is not there is for ArgumentParser to miss.
            ("--root", ["--root"], nil, []),
            ("run -b", [], "run", ["-b"]),
            // A lone dash is an argument; after two, everything is.
            ("state -", [], "state", ["-"]),
            ("state -- -x", [], "state", ["--", "-x"]),
            ("-- state -x", [], "state", ["-x"]),
        ] as [(String, [String], String?, [String])])
    func isTakenApart(_ line: String, _ global: [String], _ command: String?, _ arguments: [String]) {
        let invocation = Invocation(line.split(separator: " ").map(String.init))
        #expect(invocation.global == global)
        #expect(invocation.command == command)
        #expect(invocation.arguments == arguments)
    }

    /// ArgumentParser would take the next argument for the value of `--name=`.
    @Test("Empty option values are kept")
    func emptyValuesStand() throws {
        #expect(
            Invocation(["exec", "--apparmor", "", "--cwd=", "c", "sh"]).arguments
                == ["--apparmor", "", "--cwd", "", "c", "--", "sh"])
        #expect(Invocation(["--criu", "", "state", "c"]).global == [])
    }

    /// The table of options with values agrees with the commands' own declarations, which are what help shows.
    @Test("The table of options with values matches the commands' declarations")
    func valuedOptionsAreThoseDeclaredSo() throws {
        for command in Root.commands {
            for line in Root.helpMessage(for: command, includeHidden: true, columns: 400).split(separator: "\n") {
                let words = line.split(separator: " ")
                guard let first = words.first, first.hasPrefix("-"), first != "-h,", first != "-h" else { continue }
                var names: [String] = []
                var isValued = false
                for word in words {
                    if word.hasPrefix("-") {
                        let name = word.drop { $0 == "-" }
                        names.append(String(name.last == "," ? name.dropLast() : name))
                    } else {
                        isValued = word.hasPrefix("<")
                        break
                    }
                }
                for name in names {
                    let isListed =
                        Invocation.valued.contains(name)
                        || name == "f" && Invocation.formatted.contains(command.name)
                    #expect(isListed == isValued, "\(command.name): \(name)")
                }
            }
        }
    }
}
