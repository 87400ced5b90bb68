// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import Linux
import ProgramArguments
import RuntimeState
import SandboxPlan

/// How the caller holds the streams of a process it starts.
enum CallerStreams: ~Copyable {
    /// This process's own, handed on; with a terminal, it is the caller's.
    case inherited(hasTerminal: Bool)
    /// A terminal made for it, whose other side the caller has been sent.
    case terminal(Console)
    /// Descriptors, and what of the process is carried by them.
    case given([BorrowedDescriptor?], StreamSet)

    /// Whether a terminal on the host stands before the guest's.
    var hasTerminal: Bool {
        switch self {
        case .inherited(let hasTerminal): hasTerminal
        case .terminal: true
        case .given: false
        }
    }

    /// Whether it is the caller's own, which does to newlines what it is set to.
    var keepsNewlines: Bool {
        switch self {
        case .inherited(let hasTerminal): hasTerminal
        case .terminal: false
        case .given: false
        }
    }

    /// This side of the terminal that was made for it.
    var console: BorrowedDescriptor? {
        switch self {
        case .terminal(let console): console.slave.borrowed
        case .inherited: nil
        case .given: nil
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
        let console = try wrapping(RuntimeError.console, Console(size: size))
        try wrapping({ .consoleSocket(path: consoleSocket, $0) }, console.send(to: consoleSocket))
        return .terminal(console)
    }

    /// Gives a process whose terminal is the caller's own that one's size from the start: what it runs may ask at
    /// once. As under runc, the guest's terminal then adds no carriage returns, and the caller's does.
    func followCaller(_ process: inout ProcessPlan, _ io: ProcessIO, detaches: Bool) {
        guard process.hasTerminal, !detaches, io == .inherited else { return }
        process.terminalKeepsNewlines = true
        guard process.terminalSize == nil, let size = Pseudoterminal.size(of: BorrowedDescriptor.standardInput),
            size.rows > 0
        else { return }
        process.terminalSize = TerminalSize(rows: size.rows, columns: size.columns)
    }

    /// How long who was sent a terminal may take to set its size before the process begins without one.
    private static let sizeTimeout = Duration.milliseconds(200)

    /// The size that the receiver of the terminal of `caller` has set, for a process that begins at once: told later,
    /// it would come after what that runs has asked.
    func sizeOfConsole(_ caller: borrowing CallerStreams, _ process: ProcessPlan) -> TerminalSize? {
        guard process.terminalSize == nil, let terminal = caller.console else { return process.terminalSize }
        let deadline = Deadline(after: Self.sizeTimeout)
        repeat {
            if let size = Pseudoterminal.size(of: terminal), size.rows > 0 {
                return TerminalSize(rows: size.rows, columns: size.columns)
            }
            SystemTime.sleep(milliseconds: 2)
        } while !deadline.hasPassed
        return nil
    }

    /// The program that stands for a process, with the caller's streams. It is in the sandbox's cgroup: callers take the
    /// process's cgroup for the container's, for its figures.
    ///
    /// - Parameter null: open on /dev/null.
    func proxyProgram(
        _ caller: borrowing CallerStreams, cgroups: borrowing CgroupDescriptors, null: BorrowedDescriptor,
        detaches: Bool
    ) -> ChildProgram {
        var program = ChildProgram(path: options.parts.program("fc-proxy"), arguments: [])
        program.cgroups = cgroups.lists.borrowed
        program.hasOwnSession = detaches
        switch caller {
        case .inherited: program.standardStreams = [.standardInput, .standardOutput, .standardError]
        case .terminal(let console):
            program.standardStreams = Array(repeating: console.slave.borrowed, count: 3)
        case .given(let descriptors, _):
            program.standardStreams = descriptors.map { $0 ?? null }
            program.hasOwnSession = true
        }
        return program
    }

    /// What fc-proxy needs to stand for the process `name`, made over `connection`.
    static func proxyArguments(
        _ name: ProcessName, connection: AgentConnection, streams: borrowing ProcessStreams,
        caller: borrowing CallerStreams
    ) -> ProxyArguments {
        var arguments = ProxyArguments()
        arguments.container = name.container
        arguments.exec = name.exec
        arguments.control = connection.descriptor.rawValue
        arguments.input = FileDescriptor.borrowed(of: streams.input)?.rawValue
        arguments.output = FileDescriptor.borrowed(of: streams.output)?.rawValue
        arguments.error = FileDescriptor.borrowed(of: streams.error)?.rawValue
        arguments.hasTerminal = caller.hasTerminal
        arguments.keepsNewlines = caller.keepsNewlines
        return arguments
    }

    static func openNull() throws(RuntimeError) -> FileDescriptor {
        try wrapping(
            { .launch(program: "fc-proxy", operation: "open /dev/null", $0) },
            FileDescriptor.open("/dev/null", .readWrite))
    }

    /// Writes a pid as runc does: into a new file beside `path`, then renamed, so that nobody reads half.
    func writePIDFile(_ pid: Int32, to path: String?) throws(RuntimeError) {
        guard let path else { return }
        let parts = path.split(at: "/", omittingEmptySubsequences: false)
        let temporary = (parts.dropLast() + [".\(parts.last ?? "")"]).joined(separator: "/")
        try wrapping({ .pidFile(path: path, $0) }) { () throws(Errno) in
            let file = try FileDescriptor.open(temporary, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
            try file.writeAll(Array("\(pid)".utf8))
            try Directory.rename(temporary, to: path, at: .currentDirectory)
        }
    }
}
