import CLinux
import Glibc
import Linux
import TestSupport
import Testing

@testable import TaskIO

@Suite(.timeLimit(.minutes(1))) struct TaskStreamsTests {
    let scratch = Scratch()

    func open(
        _ stdin: String = "", _ stdout: String = "", _ stderr: String = "", terminal: Bool = false
    ) throws(TaskIOError) -> TaskStreams {
        try TaskStreams.open(
            stdin: stdin, stdout: stdout, stderr: stderr, terminal: terminal, containerID: "c1", namespace: "ns")
    }

    /// What a borrowed descriptor gives at once; nil where that is nothing yet.
    func read(_ number: Int32) throws -> String? {
        guard !(try Poll.wait(number, [.readable, .hangUp], until: Deadline(after: .zero))).isEmpty else { return nil }
        return String(decoding: try FileDescriptor.duplicate(of: number, minimum: 3).read(upTo: 100), as: UTF8.self)
    }

    func write(_ text: String, to number: Int32) throws {
        try FileDescriptor.duplicate(of: number, minimum: 3).writeAll(Array(text.utf8))
    }

    @Test func nothingIsNothing() throws {
        var streams = try open()
        let isEmpty = streams.input == nil && streams.output == nil && streams.error == nil && streams.loggerPID == nil
        #expect(isEmpty)
        let hasWriter = streams.takeInputWriter() != nil
        #expect(!hasWriter)
        try streams.waitForLogger(limit: .zero)
    }

    @Test func outputNeedsNoReader() throws {
        let (output, error) = (try scratch.fifo("out"), try scratch.fifo("err"))
        let streams = try open("", output, "fifo://" + error)
        let (first, second) = (try number(streams.output), try number(streams.error))
        try write("one", to: first)
        try write("two", to: second)
        // Who comes later finds it; who leaves breaks nothing.
        do {
            let reader = try FileDescriptor.open(output, .nonBlocking)
            #expect(try reader.read(upTo: 10) == Array("one".utf8))
        }
        try write("three", to: first)
        let reader = try FileDescriptor.open(output, .nonBlocking)
        #expect(try reader.read(upTo: 10) == Array("three".utf8))
        #expect(try FileDescriptor.open(error, .nonBlocking).read(upTo: 10) == Array("two".utf8))
    }

    @Test func outputEndsWithItsLastHolder() throws {
        let output = try scratch.fifo("out")
        let reader = try FileDescriptor.open(output, .nonBlocking)
        do {
            let streams = try open("", output, "")
            try write("x", to: try number(streams.output))
            let error = streams.error
            #expect(error == nil)
        }
        #expect(try reader.read(upTo: 10) == Array("x".utf8))
        #expect(try reader.read(upTo: 10).isEmpty)
    }

    @Test func inputEndsByItsWriter() throws {
        let path = try scratch.fifo("in")
        var streams = try open(path)
        let input = try number(streams.input)
        do {
            let client = try FileDescriptor.open(path, [.writeOnly, .nonBlocking])
            try client.writeAll(Array("hello".utf8))
        }
        #expect(try read(input) == "hello")
        // The client has gone, and that is not the end.
        #expect(try read(input) == nil)
        do {
            let writer = streams.takeInputWriter()
            let hasWriter = writer != nil
            #expect(hasWriter)
            let hasSecond = streams.takeInputWriter() != nil
            #expect(!hasSecond)
            #expect(try read(input) == nil)
        }
        #expect(try read(input) == "")
    }

    @Test func aTerminalHasOneOutput() throws {
        let output = try scratch.fifo("out")
        let streams = try open("", output, "not looked at", terminal: true)
        let isOne = streams.output != nil && streams.error == nil
        #expect(isOne)
    }

    @Test func streamsBlockAsStreamsDo() throws {
        let streams = try open(try scratch.fifo("in"), try scratch.fifo("out"), "")
        for number in [try number(streams.input), try number(streams.output)] {
            #expect(try syscall(__NR_fcntl, Int(number), Int(F_GETFL)) & Int(O_NONBLOCK) == 0)
            #expect(try syscall(__NR_fcntl, Int(number), Int(F_GETFD)) & Int(FD_CLOEXEC) != 0)
        }
    }

    @Test func filesAreMadeAndAppendedTo() throws {
        let uri = "file://\(scratch.path)/new/deep/a%20log"
        do {
            let streams = try open("", uri, uri)
            try write("out\n", to: try number(streams.output))
            try write("err\n", to: try number(streams.error))
        }
        do {
            let streams = try open("", uri, "")
            try write("more\n", to: try number(streams.output))
        }
        #expect(scratch.read("new/deep/a log") == "out\nerr\nmore\n")
        let null = try open("", "file:///dev/null", "")
        try write("gone", to: try number(null.output))
    }

    @Test func whatIsNoFIFO() throws {
        let file = try scratch.write("", to: "file")
        let directory = try scratch.directory("directory")
        let link = try scratch.link("link", to: try scratch.fifo("fifo"))
        let wrong: [(String, String)] = [
            (file, "a regular file"), (directory, "a directory"), (link, "a symlink"),
            ("/dev/null", "a character device"),
        ]
        for (path, found) in wrong {
            #expect(throws: TaskIOError.notAFIFO(stream: "stdin", path: path, found: found)) { _ = try open(path) }
            #expect(throws: TaskIOError.notAFIFO(stream: "stdout", path: path, found: found)) {
                _ = try open("", path)
            }
        }
        let missing = scratch.path + "/missing"
        #expect(throws: TaskIOError.open(stream: "stderr", path: missing, .noSuchFile)) {
            _ = try open("", "", missing)
        }
        #expect(!scratch.exists("missing"))
    }

    @Test func whatIsNoFile() throws {
        let kept = try scratch.write("kept", to: "kept")
        let wrong: [(String, String)] = [
            (try scratch.directory("directory"), "a directory"), (try scratch.link("link", to: kept), "a symlink"),
            (try scratch.link("dangling", to: scratch.path + "/escaped"), "a symlink"),
            (try scratch.fifo("fifo"), "a fifo"), ("/dev/zero", "a character device"),
        ]
        for (path, found) in wrong {
            #expect(throws: TaskIOError.notAFile(stream: "stdout", path: path, found: found)) {
                _ = try open("", "file://" + path)
            }
        }
        #expect(scratch.read("kept") == "kept")
        #expect(!scratch.exists("escaped"))
        #expect(throws: TaskIOError.open(stream: "stdout", path: kept + "/below", Errno(rawValue: ENOTDIR))) {
            _ = try open("", "file://\(kept)/below")
        }
    }

    @Test func whatDoesNotGoTogether() {
        #expect(throws: TaskIOError.scheme(stream: "stdin", "file")) { _ = try open("file:///x") }
        #expect(throws: TaskIOError.scheme(stream: "stdin", "binary")) { _ = try open("binary:///x") }
        #expect(throws: TaskIOError.loggerForErrorAlone) { _ = try open("", "", "binary:///x") }
    }

    @Test func nothingStaysOpenAfterAFailure() throws {
        let path = try scratch.fifo("in")
        #expect(throws: TaskIOError.self) { _ = try open(path, "", scratch.path + "/missing") }
        // A writer is refused where nobody reads.
        #expect(throws: Errno(rawValue: ENXIO)) { _ = try FileDescriptor.open(path, [.writeOnly, .nonBlocking]) }
    }
}
