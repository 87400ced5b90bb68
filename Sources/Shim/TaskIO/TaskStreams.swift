// SPDX-License-Identifier: Apache-2.0
public import Linux

/// The streams of a task or exec, opened. What is not given away is closed with this.
public struct TaskStreams: ~Copyable {
    private var inputEnd: FileDescriptor?
    private var inputWriter: FileDescriptor?
    private var outputEnd: FileDescriptor?
    private var errorEnd: FileDescriptor?
    private var logger: Logger?

    /// What the process reads, writes and complains to, for handing down; nil is /dev/null. They stay owned here.
    public var input: BorrowedDescriptor? { Self.borrowed(inputEnd) }
    public var output: BorrowedDescriptor? { Self.borrowed(outputEnd) }
    /// Nil as well with a terminal, which has one output.
    public var error: BorrowedDescriptor? { Self.borrowed(errorEnd) }

    /// The logging program, where there is one: a child of the caller in a session of its own. It ends when its input
    /// does, as a good one will.
    public var loggerPID: Int32? {
        switch logger {
        case .none: nil
        case .some(let logger): logger.pid
        }
    }

    /// All of it, for a forked copy of the caller that closes what it is not to have.
    public var descriptors: [BorrowedDescriptor] {
        let readiness: BorrowedDescriptor? =
            switch logger {
            case .none: nil
            case .some(let logger): logger.readinessDescriptor
            }
        return [input, output, error, readiness].compactMap { $0 }
    }

    /// Opens what a request names, without waiting for a fifo's other end or a logging program.
    ///
    /// A bare path or `fifo://` is a fifo, `file://` a file to append to, `binary://` a logging program, and nothing
    /// /dev/null. Input is a fifo or nothing. Output fifos are opened for reading as well, so that writing them never
    /// fails for want of a reader. No path may end in a symlink.
    ///
    /// - Parameters:
    ///   - containerID: the container that a logging program is started for.
    ///   - namespace: likewise.
    public static func open(
        stdin: String, stdout: String, stderr: String, terminal: Bool, containerID: String, namespace: String
    ) throws(TaskIOError) -> TaskStreams {
        // All are read before any is opened.
        let input = try StreamAddress(stdin, stream: "stdin")
        let output = try StreamAddress(stdout, stream: "stdout")
        let error = terminal ? .none : try StreamAddress(stderr, stream: "stderr")
        var streams = TaskStreams()
        switch input {
        case .none: break
        case .fifo(let path):
            var ends = try StreamOpening(stream: "stdin").input(path)
            streams.inputEnd = ends.takeReader()
            streams.inputWriter = ends.takeWriter()
        case .file: throw .scheme(stream: "stdin", "file")
        case .program: throw .scheme(stream: "stdin", "binary")
        }
        if case .program(let program) = output {
            // It takes both, whatever is said of the other, as its protocol has it.
            var ends = try StreamEnds()
            streams.logger = try Logger(program, containerID: containerID, namespace: namespace, ends)
            streams.outputEnd = ends.takeOutput()
            if !terminal { streams.errorEnd = ends.takeError() }
            return streams
        }
        streams.outputEnd = try open(output, "stdout")
        streams.errorEnd = try open(error, "stderr")
        return streams
    }

    private static func open(_ address: StreamAddress, _ stream: String) throws(TaskIOError) -> FileDescriptor? {
        switch address {
        case .none: nil
        case .fifo(let path): try StreamOpening(stream: stream).fifo(path, .readWrite)
        case .file(let path): try StreamOpening(stream: stream).file(path)
        case .program: throw .loggerForErrorAlone
        }
    }

    /// Gives away what keeps the input from ending: who drops it lets the process read the end of its input, once
    /// the client's own writers have gone.
    public mutating func takeInputWriter() -> FileDescriptor? { inputWriter.take() }

    /// Waits until the logging program, if there is one, says that it is ready.
    public borrowing func waitForLogger(limit: Duration) throws(TaskIOError) {
        switch logger {
        case .none: return
        case .some(let logger): try logger.wait(limit: limit)
        }
    }

    private init() {}

    private static func borrowed(_ file: borrowing FileDescriptor?) -> BorrowedDescriptor? {
        switch file {
        case .none: nil
        case .some(let file): file.borrowed
        }
    }
}
