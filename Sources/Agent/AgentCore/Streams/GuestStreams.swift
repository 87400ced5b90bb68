// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux

/// A process's standard streams: the connections they came by, and the relays between.
///
/// A relay lasts as long as a process holds its inner end: without a terminal it outlives the process where another
/// has that end, too, as a program in the background has.
final class GuestStreams {
    private let loop: EventLoop
    private var inputConnection: FileDescriptor?
    private var outputConnection: FileDescriptor?
    private let outputIsBothWays: Bool
    private var input: Relay?
    private var output: Relay?
    private var error: Relay?
    /// The ends the process gets: input, output, errors. Closed here once it has them.
    private var ends: [ProcessEnd] = []
    private var terminal: FileDescriptor?

    private final class ProcessEnd {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    /// Takes the streams of `tokens` out of `table`.
    init(
        _ loop: EventLoop, _ tokens: StreamTokens, from table: StreamTable, hasTerminal: Bool
    ) throws(AgentError) {
        self.loop = loop
        outputIsBothWays = tokens.input != nil && [tokens.output, tokens.error].contains(tokens.input)
        if hasTerminal, tokens.error != nil { throw .streamsWithTerminal }
        let all = [tokens.input, tokens.output, tokens.error].compactMap { $0 }
        guard all.allSatisfy({ table.has($0) }) else { throw .noSuchStream }
        defer { for token in all { table.forget(token) } }
        if hasTerminal {
            if let token = tokens.input { inputConnection = try table.open(token) }
            if let token = tokens.output { outputConnection = try table.open(token) }
            return
        }
        try connectInput(try tokens.input.map { (token) throws(AgentError) in try table.open(token) })
        output = try connectOutput(try tokens.output.map { (token) throws(AgentError) in try table.open(token) })
        error = try connectOutput(try tokens.error.map { (token) throws(AgentError) in try table.open(token) })
    }

    /// The numbers the process finds its streams by, until ``processHasThem()``. None with a terminal.
    var processDescriptors: [BorrowedDescriptor] { ends.map { $0.descriptor.borrowed } }

    func processHasThem() {
        ends = []
    }

    /// Begins to relay; with a terminal not before ``take(terminal:)``.
    func begin() {
        for relay in [input, output, error] { relay?.begin() }
    }

    /// Takes the master of the process's terminal and begins to relay.
    func take(terminal master: consuming FileDescriptor) throws(AgentError) {
        let loop = loop
        let terminal = master.borrowed
        if let connection = inputConnection.take() {
            input = try doing(
                "stream",
                try Relay(
                    loop, from: connection.duplicate(), to: terminal.duplicate(),
                    kind: .terminal))
        }
        // Output without a listener is read all the same: a full terminal would stop the process.
        let kind: Relay.Sink = outputConnection == nil ? .null : .socket(isBothWays: outputIsBothWays)
        let sink = try doing("stream") { () throws(Errno) in
            guard let connection = outputConnection.take() else {
                return try FileDescriptor.open("/dev/null", .writeOnly)
            }
            return connection
        }
        let source = try doing("stream", try terminal.duplicate())
        output = try relay(from: source, to: sink, kind: kind, discards: true)
        self.terminal = consume master
        begin()
    }

    func resize(rows: UInt16, columns: UInt16) throws(AgentError) {
        guard let terminal = terminal?.borrowed else { return }
        try doing("resize", try Pseudoterminal.setSize(of: terminal, rows: rows, columns: columns))
    }

    /// What the host sent so far reaches the process, and then its input ends.
    func closeInput() {
        input?.sourceIsComplete()
    }

    /// The process has ended, and so has every process that shared its terminal.
    func processHasEnded() {
        guard terminal != nil || inputConnection != nil || outputConnection != nil else { return }
        input?.cancel()
        output?.sourceIsComplete()
    }

    /// How many bytes of output, and of errors, were written so far.
    func takeStock() -> (output: UInt64, error: UInt64) {
        (output?.takeStock() ?? 0, error?.takeStock() ?? 0)
    }

    /// Lets go of everything; what is being relayed goes on for as long as both of its ends are open.
    func abandon() {
        (input, output, error, ends) = (nil, nil, nil, [])
        terminal = nil
        inputConnection = nil
        outputConnection = nil
    }

    private func connectInput(_ connection: consuming FileDescriptor?) throws(AgentError) {
        guard let connection else { return try connectNull(.init()) }
        let pipe = try doing("stream", try FileDescriptor.pipe())
        ends.append(ProcessEnd(pipe.reader))
        let writer = pipe.writer
        input = try relay(from: connection, to: writer, kind: .pipe)
    }

    private func connectOutput(_ connection: consuming FileDescriptor?) throws(AgentError) -> Relay? {
        guard let connection else {
            try connectNull(.writeOnly)
            return nil
        }
        let pipe = try doing("stream", try FileDescriptor.pipe())
        ends.append(ProcessEnd(pipe.writer))
        let reader = pipe.reader
        return try relay(from: reader, to: connection, kind: .socket(isBothWays: outputIsBothWays))
    }

    private func connectNull(_ options: OpenOptions) throws(AgentError) {
        ends.append(
            ProcessEnd(try doing("stream", try FileDescriptor.open("/dev/null", options))))
    }

    private func relay(
        from source: consuming FileDescriptor, to sink: consuming FileDescriptor, kind: Relay.Sink,
        discards: Bool = false
    ) throws(AgentError) -> Relay {
        do {
            return try Relay(loop, from: source, to: sink, kind: kind, discards: discards)
        } catch {
            throw .system(operation: "stream", error)
        }
    }
}
