import AgentClient
import AgentProtocol
import Glibc
import Linux
import RuntimeState
import SandboxPlan

/// How the caller holds the streams of a process it starts.
enum CallerStreams: ~Copyable {
    /// This process's own, handed on; with a terminal, it is the caller's.
    case inherited(hasTerminal: Bool)
    /// A terminal made for it, whose other side the caller has been sent.
    case terminal(Console)
    /// Descriptors, and what of the process is carried by them.
    case given([Int32?], StreamSet)

    /// Whether a terminal on the host stands before the guest's.
    var hasTerminal: Bool {
        switch self {
        case .inherited(let hasTerminal): hasTerminal
        case .terminal: true
        case .given: false
        }
    }

    /// What there is to carry.
    var streams: StreamSet {
        switch self {
        case .inherited(let hasTerminal): StreamSet(error: !hasTerminal)
        case .terminal: StreamSet(error: false)
        case .given(_, let streams): streams
        }
    }
}

extension Runtime {
    /// The caller's side of a process: its own streams, or a new terminal sent over the console socket.
    ///
    /// - Parameter detaches: the caller does not stay to be the terminal's other side itself.
    func callerStreams(
        _ io: ProcessIO, hasTerminal: Bool, size: TerminalSize?, consoleSocket: String?, detaches: Bool
    ) throws(RuntimeError) -> CallerStreams {
        if case .descriptors(let input, let output, let error) = io {
            if consoleSocket != nil { throw .consoleSocketUnwanted }
            let error = hasTerminal ? nil : error
            return .given(
                [input, output, error],
                StreamSet(input: input != nil, output: output != nil, error: error != nil))
        }
        guard hasTerminal, detaches else {
            if consoleSocket != nil { throw .consoleSocketUnwanted }
            return .inherited(hasTerminal: hasTerminal)
        }
        guard let consoleSocket else { throw .consoleSocketMissing }
        let console = try wrapping(RuntimeError.console) { () throws(Errno) in try Console(size: size) }
        try wrapping({ .consoleSocket(path: consoleSocket, $0) }) { () throws(Errno) in
            try console.send(to: consoleSocket)
        }
        return .terminal(console)
    }

    /// Gives a process whose terminal is the caller's own that one's size from the start: what it runs may ask at
    /// once. nil leaves it to the proxy to tell.
    func sizeOfCaller(_ process: ProcessPlan, _ io: ProcessIO, detaches: Bool) -> TerminalSize? {
        guard process.hasTerminal, process.terminalSize == nil, !detaches, io == .inherited,
            let size = Pseudoterminal.size(of: 0), size.rows > 0
        else { return process.terminalSize }
        return TerminalSize(rows: size.rows, columns: size.columns)
    }

    /// Starts the fc-proxy of a process of `record`'s container that has been made over `connection`. It is in
    /// the sandbox's cgroup: callers take the process's cgroup for the container's, for its figures.
    ///
    /// - Parameter exec: the process's name; nil for the container's first.
    /// - Returns: its pid. It is this process's child, and its parent's when this one ends.
    func startProxy(
        of record: ContainerRecord, exec: String? = nil, connection: AgentConnection, streams: borrowing ProcessStreams,
        caller: borrowing CallerStreams, detaches: Bool, stallMilliseconds: Int32?, lifeline: Int32?
    ) throws(RuntimeError) -> Int32 {
        var arguments = ["--container", record.id]
        if let exec { arguments += ["--exec", exec] }
        var descriptors = [connection.descriptor]
        arguments += ["--control-fd", "\(connection.descriptor)"]
        for option in streams.options {
            arguments += [option.name, "\(option.descriptor)"]
            descriptors.append(option.descriptor)
        }
        if let stallMilliseconds { arguments += ["--stall-ms", "\(stallMilliseconds)"] }
        if let lifeline {
            arguments += ["--lifeline-fd", "\(lifeline)"]
            descriptors.append(lifeline)
        }
        if caller.hasTerminal { arguments.append("--terminal") }
        var program = ChildProgram(path: options.parts.program("fc-proxy"), arguments: arguments)
        program.descriptors = descriptors
        program.hasOwnSession = detaches
        let cgroups = try openCgroups(of: record)
        program.cgroups = cgroups.numbers
        let null = try wrapping({ .launch(program: "fc-proxy", operation: "open /dev/null", $0) }) {
            () throws(Errno) in try FileDescriptor.open("/dev/null", .readWrite)
        }
        switch caller {
        case .inherited: program.standardStreams = [0, 1, 2]
        case .terminal(let console):
            program.standardStreams = [Int32](repeating: console.slave.rawValue, count: 3)
        case .given(let descriptors, _):
            program.standardStreams = descriptors.map { $0 ?? null.rawValue }
            program.hasOwnSession = true
        }
        let pid = try program.start()
        // Open until the child has its copies.
        _ = consume null
        return pid
    }

    /// Writes a pid as runc does: into a new file beside `path`, then renamed, so that nobody reads half.
    func writePIDFile(_ pid: Int32, to path: String?) throws(RuntimeError) {
        guard let path else { return }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let temporary = (parts.dropLast() + [".\(parts.last ?? "")"]).joined(separator: "/")
        try wrapping({ .pidFile(path: path, $0) }) { () throws(Errno) in
            let file = try FileDescriptor.open(temporary, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
            try file.writeAll(Array("\(pid)".utf8))
            try Directory.rename(temporary, to: path, at: FileDescriptor.currentDirectory)
        }
    }
}
