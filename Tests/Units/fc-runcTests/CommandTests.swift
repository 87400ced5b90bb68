// SPDX-License-Identifier: Apache-2.0
import Configuration
import OCISpec
import Sandbox
import Testing

@testable import fc_runc

@Suite("fc-runc: commands") struct CommandTests {
    /// Parses as the program does.
    func parse<Command: RuntimeCommand>(_ type: Command.Type, _ arguments: [String]) throws -> Command {
        let invocation = Invocation(arguments)
        #expect(invocation.command == Command.name)
        return try Command.parse(invocation.global + invocation.arguments)
    }

    @Test("Every command of runc is known, and no name is used twice")
    func everyCommandOfRuncIsKnown() {
        let names = [
            "checkpoint", "create", "delete", "events", "exec", "features", "kill", "list", "pause", "ps", "restore",
            "resume", "run", "spec", "start", "state", "update",
        ]
        let known = Root.commands.map { $0.name }
        for name in names { #expect(known.contains(name), "\(name)") }
        #expect(known.contains("check"))
        #expect(Set(known).count == known.count)
    }

    /// As containerd's runc shim calls.
    @Test("The create command of containerd's runc shim is understood")
    func createAsContainerdCalls() throws {
        let command = try parse(
            Create.self,
            [
                "--root", "/run/r/ns", "--log", "/l", "--log-format", "json", "create", "--bundle", "/b", "--pid-file",
                "/b/init.pid", "--console-socket", "/tmp/pty", "--no-pivot", "--no-new-keyring", "c1",
            ])
        #expect(command.global.root == "/run/r/ns")
        #expect(command.global.log == "/l")
        #expect(command.global.logFormat == "json")
        var expected = CreateRequest(id: "c1", bundle: "/b")
        expected.pidFile = "/b/init.pid"
        expected.consoleSocket = "/tmp/pty"
        #expect(try command.bundle.request() == expected)
    }

    /// As podman's conmon calls.
    @Test("The create command of conmon is understood")
    func createAsConmonCalls() throws {
        let command = try parse(
            Create.self,
            ["--log-format=json", "--log=/x/oci-log", "create", "--bundle", "/b", "--pid-file", "/b/pidfile", "c"])
        #expect(try command.bundle.request().pidFile == "/b/pidfile")
        #expect(command.global.log == "/x/oci-log")
    }

    @Test("Relative paths are made absolute and cleaned")
    func pathsAreMadeAbsolute() throws {
        let command = try parse(Run.self, ["run", "-b", "../b/./c", "--pid-file", "p", "-d", "--keep", "c"])
        let request = try command.bundle.request()
        #expect(request.bundle == AbsolutePath.of("..") + "/b/c")
        #expect(request.pidFile == AbsolutePath.of(".") + "/p")
        #expect(command.detach && command.keep)
        #expect(AbsolutePath.of("/a/../../b//c/.") == "/b/c")
        #expect(AbsolutePath.of("/") == "/")
        #expect(try parse(Run.self, ["run", "c"]).bundle.request().bundle == AbsolutePath.of("."))
    }

    @Test("The number of preserved descriptors is bounded")
    func descriptorsHaveABound() throws {
        for count in ["-1", "1025"] {
            let command = try parse(Create.self, ["create", "--preserve-fds", count, "c"])
            #expect(throws: UsageError.self) { try command.bundle.request() }
        }
        #expect(throws: (any Error).self) { try parse(Create.self, ["create", "--preserve-fds", "x", "c"]) }
    }

    /// The container's process that exec starts from.
    var own: Spec.Process {
        var process = Spec.Process()
        process.args = ["init"]
        process.terminal = true
        process.env = ["PATH=/bin", "A=1", "AB=2"]
        process.cwd = "/"
        process.user.uid = 5
        process.user.gid = 6
        process.user.additionalGids = [7]
        process.capabilities = Spec.Process.Capabilities()
        process.capabilities?.bounding = ["CAP_KILL"]
        process.capabilities?.inheritable = ["CAP_KILL"]
        return process
    }

    func changed(_ arguments: [String]) throws -> Spec.Process {
        let request = try parse(Exec.self, ["exec"] + arguments).request()
        guard case .container(let change) = request.source else { throw UsageError.processEmpty }
        var process = own
        change(&process)
        return process
    }

    @Test("The options of exec change a copy of the container's process")
    func execChangesTheContainersProcess() throws {
        var expected = own
        expected.args = ["sh", "-c", "x", "-t"]
        expected.terminal = false
        #expect(try changed(["c", "sh", "-c", "x", "-t"]) == expected)

        expected.terminal = true
        expected.args = ["id"]
        expected.cwd = "/tmp"
        expected.noNewPrivileges = true
        expected.user.uid = 1
        expected.user.gid = 2
        expected.user.additionalGids = [7, 8, 9]
        expected.env = ["PATH=/bin", "AB=2", "B=", "A=x=y"]
        expected.capabilities?.bounding = ["CAP_KILL", "CAP_CHOWN"]
        expected.capabilities?.effective = ["CAP_KILL", "CAP_CHOWN"]
        expected.capabilities?.permitted = ["CAP_KILL", "CAP_CHOWN"]
        expected.capabilities?.ambient = ["CAP_KILL", "CAP_CHOWN"]
        #expect(
            try changed([
                "-t", "--cwd", "/tmp", "--no-new-privs", "-u", "1:2", "-g", "8", "--additional-gids", "9", "-e", "B=",
                "--env", "A=0", "-e", "A=x=y", "-c", "CAP_KILL", "--cap", "CAP_CHOWN", "c", "id",
            ]) == expected)
        #expect(try changed(["-u", "9", "c", "id"]).user.gid == 6)
    }

    @Test("Exec takes its process from a file")
    func execTakesAFile() throws {
        let request = try parse(
            Exec.self, ["exec", "--process", "/p.json", "--detach", "--pid-file", "/p", "--console-socket", "/s", "c"]
        ).request()
        guard case .file("/p.json") = request.source else {
            Issue.record("\(request.source)")
            return
        }
        #expect(request.detaches)
        #expect(request.pidFile == "/p")
        #expect(request.consoleSocket == "/s")
    }

    @Test(
        "Contradictory and malformed arguments of exec are refused",
        arguments: [
            (["c"], UsageError.processEmpty),
            (["-p", "/p", "c", "sh"], .processAndArguments),
            (["-u", "x", "c", "sh"], .user("x", field: "uid")),
            (["-u", "1:", "c", "sh"], .user("", field: "gid")),
            (["-u", "-1", "c", "sh"], .user("-1", field: "uid")),
            (["-u", "4294967296", "c", "sh"], .user("4294967296", field: "uid")),
            (["-e", "A", "c", "sh"], .environment("A")),
            (["-e", "=A", "c", "sh"], .environment("=A")),
            (["-e", "", "c", "sh"], .environment("")),
            (["--preserve-fds", "-1", "c", "sh"], .countOutOfRange(option: "--preserve-fds", value: -1)),
        ])
    func execRefuses(_ arguments: [String], _ error: UsageError) throws {
        let command = try parse(Exec.self, ["exec"] + arguments)
        #expect(throws: error) { try command.request() }
    }

    @Test("Options of exec that a guest cannot honour are refused unless empty")
    func whatTheGuestHasNotIsRefused() throws {
        for option in ["--apparmor", "--process-label", "--cgroup", "--pidfd-socket"] {
            #expect(throws: UsageError.self) { try parse(Exec.self, ["exec", option, "x", "c", "sh"]).request() }
            _ = try parse(Exec.self, ["exec", option, "", "c", "sh"]).request()
        }
    }

    @Test("An unsupported command takes any arguments and says that it is not supported")
    func unsupportedCommandsTakeAnyArguments() throws {
        let command = try parse(Restore.self, ["restore", "--memory", "5", "-r", "-", "c"])
        #expect(UsageError.unsupported(command: Restore.name).description == "fc-runc restore: not supported yet")
        #expect(command.arguments.contains("c"))
    }

    @Test("The number of arguments is checked")
    func theNumberOfArgumentsIsChecked() {
        #expect(throws: (any Error).self) { try parse(StateCommand.self, ["state"]) }
        #expect(throws: (any Error).self) { try parse(StateCommand.self, ["state", "a", "b"]) }
        #expect(throws: (any Error).self) { try parse(List.self, ["list", "a"]) }
        #expect(throws: (any Error).self) { try parse(Kill.self, ["kill", "a", "KILL", "x"]) }
    }

    @Test("Completion scripts are generated for each shell", arguments: ["bash", "zsh", "fish"])
    func completionScriptsAreMade(_ shell: String) throws {
        let error = try #require(throws: (any Error).self) { try Root.parse(["--generate-completion-script=" + shell]) }
        let script = Root.fullMessage(for: error)
        #expect(Root.exitCode(for: error) == .success)
        #expect(script.contains("fc-runc") && script.contains("console-socket") && script.contains("features"))
    }
}
