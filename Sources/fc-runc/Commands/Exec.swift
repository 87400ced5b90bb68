// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Configuration
import Linux
import OCISpec
import Sandbox

struct Exec: ContainerCommand {
    static let name = "exec"
    static let failurePrefix = "exec failed: "
    static let failureStatus: Int32 = 255
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Run one more process in a container.")

    @Option(help: "The unix socket that is sent the terminal's master side.")
    var consoleSocket: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var pidfdSocket: String?

    @Option(help: "The process's working directory.")
    var cwd: String?

    @Option(name: .shortAndLong, help: "NAME=value for its environment; may be repeated.")
    var env: [String] = []

    @Flag(name: .shortAndLong, help: "Give it a terminal.")
    var tty = false

    @Option(name: .shortAndLong, help: "UID[:GID] to run as.")
    var user: String?

    @Option(name: [.customShort("g"), .long], help: "A further group; may be repeated.")
    var additionalGids: [UInt32] = []

    @Option(name: .shortAndLong, help: "A file with the process, as in config.json.")
    var process: String?

    @Flag(name: .shortAndLong, help: "Return once the process runs.")
    var detach = false

    @Option(help: "The file to write the process id to.")
    var pidFile: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var processLabel: String?

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var apparmor: String?

    @Flag(help: "Let it gain no privileges.")
    var noNewPrivs = false

    @Option(name: .shortAndLong, help: "A capability to add; may be repeated.")
    var cap: [String] = []

    @Option(help: "How many descriptors, from 3 on, it gets.")
    var preserveFds = 0

    @Option(help: ArgumentHelp("Not supported.", visibility: .hidden))
    var cgroup: String?

    @Flag(help: "Run it in a paused container as well.")
    var ignorePaused = false

    @Argument(help: "The container.")
    var containerID: String

    @Argument(help: "The program and its arguments.")
    var command: [String] = []

    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func execute(_ context: Context) throws -> Int32 {
        try context.runtime.exec(request())
    }

    func request() throws(UsageError) -> ExecRequest {
        try refuseUnsupported()
        if process == nil, command.isEmpty { throw .processEmpty }
        if process != nil, !command.isEmpty { throw .processAndArguments }
        guard (0...1024).contains(preserveFds) else {
            throw .countOutOfRange(option: "--preserve-fds", value: preserveFds)
        }
        for variable in env where variable.before("=").isEmpty || !variable.utf8.contains(UInt8(ascii: "=")) {
            throw .environment(variable)
        }
        let user = try user.map(Self.user)
        let source: ExecRequest.Source =
            if let process { .file(AbsolutePath.of(process)) } else { .container { change(&$0, user: user) } }
        var request = ExecRequest(id: containerID, source: source)
        request.detaches = detach
        request.pidFile = pidFile.map(AbsolutePath.of)
        request.consoleSocket = consoleSocket.map(AbsolutePath.of)
        request.preservedDescriptorCount = preserveFds
        request.ignoresPause = ignorePaused
        return request
    }

    /// Makes the container's own process the one asked for.
    func change(_ process: inout Spec.Process, user: (uid: UInt32, gid: UInt32?)?) {
        process.args = command
        process.terminal = tty
        if let cwd, !cwd.isEmpty { process.cwd = cwd }
        if noNewPrivs { process.noNewPrivileges = true }
        if let user {
            process.user.uid = user.uid
            process.user.gid = user.gid ?? process.user.gid
        }
        process.user.additionalGids += additionalGids
        for variable in env {
            // A name given twice is the second time's; programs look at the first.
            let name = variable.before("=") + "="
            process.env.removeAll { $0.begins(with: name) }
            process.env.append(variable)
        }
        if cap.isEmpty { return }
        var capabilities = process.capabilities ?? Spec.Process.Capabilities()
        for set in [\Spec.Process.Capabilities.bounding, \.effective, \.permitted, \.ambient] {
            capabilities[keyPath: set] += cap.filter { !capabilities[keyPath: set].contains($0) }
        }
        process.capabilities = capabilities
    }

    private func refuseUnsupported() throws(UsageError) {
        for (option, value) in [
            ("--pidfd-socket", pidfdSocket), ("--process-label", processLabel), ("--apparmor", apparmor),
            ("--cgroup", cgroup),
        ] {
            // An empty one asks for nothing; containerd gives such.
            if let value, !value.isEmpty {
                throw .unsupportedOption(option, reason: "the process runs under the guest's kernel, which has none")
            }
        }
    }

    static func user(_ text: String) throws(UsageError) -> (uid: UInt32, gid: UInt32?) {
        let parts = text.split(at: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let uid = UInt32(parts[0]) else { throw .user(String(parts[0]), field: "uid") }
        guard parts.count == 2 else { return (uid, nil) }
        guard let gid = UInt32(parts[1]) else { throw .user(String(parts[1]), field: "gid") }
        return (uid, gid)
    }
}
