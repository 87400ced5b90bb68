// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import TestSupport
import Testing

@testable import TaskIO

@Suite("TaskIO: streams", .timeLimit(.minutes(1))) struct TaskStreamsTests {
    let scratch = Scratch()

    func open(
        _ stdin: String = "", _ stdout: String = "", _ stderr: String = "", terminal: Bool = false
    ) throws(TaskIOError) -> TaskStreams {
        try TaskStreams.open(
            stdin: stdin, stdout: stdout, stderr: stderr, terminal: terminal, containerID: "c1", namespace: "ns")
    }

    /// What a borrowed descriptor gives at once; nil where that is nothing yet.
    func read(_ stream: BorrowedDescriptor) throws -> String? {
        guard !(try Poll.wait(stream, [.readable, .hangUp], until: Deadline(after: .zero))).isEmpty else { return nil }
        return String(decoding: try stream.read(upTo: 100), as: UTF8.self)
    }

    func write(_ text: String, to stream: BorrowedDescriptor) throws {
        try stream.writeAll(Array(text.utf8))
    }

    @Test("Empty addresses open no streams")
    func nothingIsNothing() throws {
        var streams = try open()
        let isEmpty = streams.input == nil && streams.output == nil && streams.error == nil && streams.loggerPID == nil
        #expect(isEmpty)
        let hasWriter = streams.takeInputWriter() != nil
        #expect(!hasWriter)
        try streams.waitForLogger(limit: .zero)
    }

    @Test("An output FIFO takes bytes without a reader and keeps them for a later one")
    func outputNeedsNoReader() throws {
        let (output, error) = (try scratch.fifo("out"), try scratch.fifo("err"))
        let streams = try open("", output, "fifo://" + error)
        let (first, second) = (try there(streams.output), try there(streams.error))
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

    @Test("An output FIFO ends when the streams are closed")
    func outputEndsWithItsLastHolder() throws {
        let output = try scratch.fifo("out")
        let reader = try FileDescriptor.open(output, .nonBlocking)
        do {
            let streams = try open("", output, "")
            try write("x", to: try there(streams.output))
            let error = streams.error
            #expect(error == nil)
        }
        #expect(try reader.read(upTo: 10) == Array("x".utf8))
        #expect(try reader.read(upTo: 10).isEmpty)
    }

    @Test("Input ends when the writer kept for it is closed, not when a client leaves")
    func inputEndsByItsWriter() throws {
        let path = try scratch.fifo("in")
        var streams = try open(path)
        let input = try there(streams.input)
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

    @Test("A terminal has a single output stream")
    func aTerminalHasOneOutput() throws {
        let output = try scratch.fifo("out")
        let streams = try open("", output, "not looked at", terminal: true)
        let isOne = streams.output != nil && streams.error == nil
        #expect(isOne)
    }

    @Test("FIFO streams are blocking and close-on-exec")
    func streamsBlockAsStreamsDo() throws {
        let streams = try open(try scratch.fifo("in"), try scratch.fifo("out"), "")
        for stream in [try there(streams.input), try there(streams.output)] {
            #expect(try syscall(__NR_fcntl, stream.argument, Int(F_GETFL)) & Int(O_NONBLOCK) == 0)
            #expect(try syscall(__NR_fcntl, stream.argument, Int(F_GETFD)) & Int(FD_CLOEXEC) != 0)
        }
    }

    @Test("A log file is created with its directories and appended to")
    func filesAreMadeAndAppendedTo() throws {
        let uri = "file://\(scratch.path)/new/deep/a%20log"
        do {
            let streams = try open("", uri, uri)
            try write("out\n", to: try there(streams.output))
            try write("err\n", to: try there(streams.error))
        }
        do {
            let streams = try open("", uri, "")
            try write("more\n", to: try there(streams.output))
        }
        #expect(scratch.read("new/deep/a log") == "out\nerr\nmore\n")
        let null = try open("", "file:///dev/null", "")
        try write("gone", to: try there(null.output))
    }

    @Test("A path that is not a FIFO is refused by kind, and a missing one is not created")
    func whatIsNoFIFO() throws {
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

    @Test("A file URI that names anything but a file is refused by kind")
    func whatIsNoFile() throws {
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

    @Test("A file or program as input, and a logger for stderr alone, are refused")
    func whatDoesNotGoTogether() {
        #expect(throws: TaskIOError.scheme(stream: "stdin", "file")) { _ = try open("file:///x") }
        #expect(throws: TaskIOError.scheme(stream: "stdin", "binary")) { _ = try open("binary:///x") }
        #expect(throws: TaskIOError.loggerForErrorAlone) { _ = try open("", "", "binary:///x") }
    }

    @Test("A stream that fails to open closes the others")
    func nothingStaysOpenAfterAFailure() throws {
        let path = try scratch.fifo("in")
        #expect(throws: TaskIOError.self) { _ = try open(path, "", scratch.path + "/missing") }
        // A writer is refused where nobody reads.
        #expect(throws: Errno(rawValue: ENXIO)) { _ = try FileDescriptor.open(path, [.writeOnly, .nonBlocking]) }
    }
}
