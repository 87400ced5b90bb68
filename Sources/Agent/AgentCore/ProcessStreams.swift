import AgentProtocol
import Linux

/// A process's standard streams: the connections they came by, and the relays between.
final class ProcessStreams {
    private let loop: EventLoop
    private let whenDrained: () -> Void
    private var inputConnection: FileDescriptor?
    private var outputConnection: FileDescriptor?
    private var input: Relay?
    private var outputs: [Relay] = []
    /// The ends the process gets: input, output, errors. Closed here once it has them.
    private var ends: [ProcessEnd] = []
    private var terminal: FileDescriptor?

    private final class ProcessEnd {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    /// Takes the streams of `tokens` out of `table`.
    ///
    /// - Parameter whenDrained: called each time an output has ended.
    init(
        _ loop: EventLoop, _ tokens: StreamTokens, from table: StreamTable, hasTerminal: Bool,
        whenDrained: @escaping () -> Void
    ) throws(AgentError) {
        self.loop = loop
        self.whenDrained = whenDrained
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
        try connectOutput(try tokens.output.map { (token) throws(AgentError) in try table.open(token) })
        try connectOutput(try tokens.error.map { (token) throws(AgentError) in try table.open(token) })
    }

    /// The numbers the process finds its streams by, until ``processHasThem()``. None with a terminal.
    var processDescriptors: [Int32] { ends.map { $0.descriptor.rawValue } }

    func processHasThem() {
        ends = []
    }

    /// Begins to relay; with a terminal not before ``take(terminal:)``.
    func begin() {
        input?.begin()
        for output in outputs { output.begin() }
    }

    /// Takes the master of the process's terminal and begins to relay.
    func take(terminal master: consuming FileDescriptor) throws(AgentError) {
        let loop = loop
        let number = master.rawValue
        if let connection = inputConnection.take() {
            input = try doing("stream") { () throws(Errno) in
                try Relay(
                    loop, from: connection.duplicate(), to: FileDescriptor.duplicate(of: number, minimum: 3),
                    kind: .terminal, whenFinished: {})
            }
        }
        // What nobody listens to is read all the same: a full terminal would stop the process.
        let kind: Relay.Sink = outputConnection == nil ? .terminal : .socket
        let sink = try doing("stream") { () throws(Errno) in
            guard let connection = outputConnection.take() else {
                return try FileDescriptor.open("/dev/null", .writeOnly)
            }
            return connection
        }
        let source = try doing("stream") { () throws(Errno) in try FileDescriptor.duplicate(of: number, minimum: 3) }
        try addOutput(from: source, to: sink, kind: kind, discards: true)
        terminal = consume master
        begin()
    }

    func resize(rows: UInt16, columns: UInt16) throws(AgentError) {
        guard let number = terminal?.rawValue else { return }
        try doing("resize") { () throws(Errno) in try Pseudoterminal.setSize(of: number, rows: rows, columns: columns) }
    }

    /// What the host sent so far reaches the process, and then its input ends.
    func closeInput() {
        input?.sourceIsComplete()
    }

    /// The process, and whoever may have shared its streams, has ended.
    func processHasEnded() {
        input?.cancel()
        input = nil
        for output in outputs { output.sourceIsComplete() }
    }

    /// All output was handed over.
    var isDrained: Bool { outputs.allSatisfy(\.isFinished) }

    /// Lets go of everything, drained or not.
    func abandon() {
        input?.cancel()
        for output in outputs { output.cancel() }
        (input, outputs, ends) = (nil, [], [])
        terminal = nil
        inputConnection = nil
        outputConnection = nil
    }

    private func connectInput(_ connection: consuming FileDescriptor?) throws(AgentError) {
        guard let connection else { return try connectNull(.init()) }
        let pipe = try doing("stream") { () throws(Errno) in try FileDescriptor.pipe() }
        ends.append(ProcessEnd(pipe.reader))
        let writer = pipe.writer
        input = try relay(from: connection, to: writer, kind: .pipe)
    }

    private func connectOutput(_ connection: consuming FileDescriptor?) throws(AgentError) {
        guard let connection else { return try connectNull(.writeOnly) }
        let pipe = try doing("stream") { () throws(Errno) in try FileDescriptor.pipe() }
        ends.append(ProcessEnd(pipe.writer))
        let reader = pipe.reader
        try addOutput(from: reader, to: connection, kind: .socket, discards: false)
    }

    private func connectNull(_ options: OpenOptions) throws(AgentError) {
        ends.append(
            ProcessEnd(try doing("stream") { () throws(Errno) in try FileDescriptor.open("/dev/null", options) }))
    }

    private func relay(
        from source: consuming FileDescriptor, to sink: consuming FileDescriptor, kind: Relay.Sink
    ) throws(AgentError) -> Relay {
        do {
            return try Relay(
                loop, from: source, to: sink, kind: kind, whenFinished: { [weak self] in self?.input = nil })
        } catch {
            throw .system(operation: "stream", error)
        }
    }

    private func addOutput(
        from source: consuming FileDescriptor, to sink: consuming FileDescriptor, kind: Relay.Sink, discards: Bool
    ) throws(AgentError) {
        let whenDrained = whenDrained
        do {
            outputs.append(
                try Relay(loop, from: source, to: sink, kind: kind, discards: discards, whenFinished: whenDrained))
        } catch {
            throw .system(operation: "stream", error)
        }
    }
}
