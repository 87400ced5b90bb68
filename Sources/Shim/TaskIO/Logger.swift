// SPDX-License-Identifier: Apache-2.0
import Linux

/// A logging program that was started. It reads output as its descriptor 3 and errors as 4, and closes 5, perhaps
/// after a byte, when it is ready.
struct Logger: ~Copyable {
    let path: String
    let pid: Int32
    /// Reads as ended, or a byte, once the program is ready.
    private let readiness: FileDescriptor

    var readinessDescriptor: BorrowedDescriptor { readiness.borrowed }

    /// Starts `program`, to read what is written to `ends`.
    init(
        _ program: LoggingProgram, containerID: String, namespace: String, _ ends: borrowing StreamEnds
    ) throws(TaskIOError) {
        let readiness: Pipe
        do throws(Errno) {
            readiness = try FileDescriptor.pipe()
        } catch {
            throw .pipe(error)
        }
        let pid: Int32
        do throws(Errno) {
            let null = try FileDescriptor.open("/dev/null", .readWrite)
            pid = try Process.spawn(
                program.path, program.arguments,
                environment: ["CONTAINER_ID=" + containerID, "CONTAINER_NAMESPACE=" + namespace] + program.variables,
                descriptors: [
                    0: null.borrowed, 1: null.borrowed, 2: null.borrowed, 3: ends.outputReader.borrowed,
                    4: ends.errorReader.borrowed, 5: readiness.writer.borrowed,
                ], isDetached: true)
        } catch {
            throw .logger(path: program.path, error)
        }
        self.path = program.path
        self.pid = pid
        self.readiness = readiness.takeReader()
    }

    /// Waits until it is ready. It need not be a child of the caller.
    borrowing func wait(limit: Duration) throws(TaskIOError) {
        do throws(Errno) {
            let deadline = Deadline(after: limit)
            if try Poll.wait(readiness.borrowed, .readable, until: deadline).isEmpty { throw .timedOut }
            // Some say it with a byte. Others only close it, which looks the same where they have crashed.
            if try !readiness.read(upTo: 1).isEmpty { return }
            // One that ends closes its files a moment before it has ended.
            let process = try Process.descriptor(of: pid)
            let state = try Poll.wait(process.borrowed, .readable, until: Deadline(after: .milliseconds(20)))
            if !state.isEmpty { throw .noSuchProcess }
        } catch .timedOut {
            throw .loggerNotReady(path: path, seconds: limit.components.seconds)
        } catch .noSuchProcess {
            throw .loggerEnded(path: path)
        } catch {
            throw .loggerWatch(path: path, error)
        }
    }
}

/// The pipes to a logging program.
struct StreamEnds: ~Copyable {
    let outputReader: FileDescriptor
    let errorReader: FileDescriptor
    private var output: FileDescriptor?
    private var error: FileDescriptor?

    init() throws(TaskIOError) {
        do throws(Errno) {
            let first = try FileDescriptor.pipe()
            let second = try FileDescriptor.pipe()
            outputReader = first.reader
            output = consume first.writer
            errorReader = second.reader
            error = consume second.writer
        } catch let problem {
            throw .pipe(problem)
        }
    }

    mutating func takeOutput() -> FileDescriptor? { output.take() }

    mutating func takeError() -> FileDescriptor? { error.take() }
}

/// Both ends of a fifo.
struct FIFOEnds: ~Copyable {
    private var reader: FileDescriptor?
    private var writer: FileDescriptor?

    init(reader: consuming FileDescriptor, writer: consuming FileDescriptor) {
        self.reader = consume reader
        self.writer = consume writer
    }

    mutating func takeReader() -> FileDescriptor? { reader.take() }

    mutating func takeWriter() -> FileDescriptor? { writer.take() }
}
