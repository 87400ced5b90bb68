// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TestSupport
import Testing

@testable import TaskIO

@Suite("TaskIO: logging programs", .timeLimit(.minutes(1))) struct LoggerTests {
    let scratch = Scratch()

    /// A logging program that is this shell script, in the directory of the test.
    func start(_ script: String, query: String = "", terminal: Bool = false) throws -> TaskStreams {
        let path = try scratch.write("#!/bin/sh\ncd \(scratch.path)\n\(script)\n", to: "logger", mode: 0o700)
        return try TaskStreams.open(
            stdin: "", stdout: "binary://\(path)\(query)", stderr: "binary://\(path)", terminal: terminal,
            containerID: "c1", namespace: "ns")
    }

    func end(_ pid: Int32?) throws -> Process.ExitStatus? {
        try Process.wait(for: try #require(pid))?.status
    }

    static let copies = "cat <&3 >out & cat <&4 >err & wait"

    @Test(
        "A logging program gets its arguments, its variables and both streams",
        arguments: ["exec 5>&-", "printf x >&5; exec 5>&-", "printf x >&5"])
    func takesBothStreams(ready: String) throws {
        let pid: Int32?
        do {
            let streams = try start(
                "echo \"$CONTAINER_ID $CONTAINER_NAMESPACE $EXTRA $*\" >facts; \(ready); \(Self.copies)",
                query: "?--level=3&-q&env.EXTRA=more")
            pid = streams.loggerPID
            try streams.waitForLogger(limit: .seconds(20))
            #expect(scratch.read("facts") == "c1 ns more --level 3 -q \n")
            try there(streams.output).writeAll(Array("o1".utf8))
            try there(streams.error).writeAll(Array("e1".utf8))
        }
        // With its streams it ends.
        #expect(try end(pid) == .exited(code: 0))
        #expect(scratch.read("out") == "o1")
        #expect(scratch.read("err") == "e1")
    }

    @Test("With a terminal the logger's error stream is at its end")
    func withATerminalErrorsHaveEnded() throws {
        let streams = try start("cat <&4 >err; exec 5>&-; cat <&3 >out", terminal: true)
        try streams.waitForLogger(limit: .seconds(20))
        #expect(scratch.read("err") == "")
        let error = streams.error
        #expect(error == nil)
        let pid = try there(streams.loggerPID)
        try Process.kill(pid, SIGTERM)
        #expect(try end(pid) == .signaled(signal: SIGTERM))
    }

    @Test("A logging program inherits no signal mask and only its own descriptors")
    func itIsByItself() throws {
        try SignalMask.block(SignalMask(SIGTERM))
        defer { try? SignalMask.set(.none) }
        // What this process was given when it was started is not the shim's.
        try Process.closeDescriptorsOnExec(from: 3)
        let streams = try start(
            "grep SigBlk /proc/self/status >facts; ls /proc/$$/fd | tr '\\n' ' ' >>facts; printf x >&5")
        try streams.waitForLogger(limit: .seconds(20))
        let pid = try there(streams.loggerPID)
        #expect(try end(pid) == .exited(code: 0))
        let facts = try #require(scratch.read("facts"))
        #expect(facts.contains("SigBlk:\t0000000000000000"))
        // The shell has its script open as well, as 10.
        #expect(
            facts.split(separator: "\n").last.map { Set($0.split(separator: " ")) } == [
                "0", "1", "2", "3", "4", "5", "10",
            ])
    }

    @Test("A logger that exits before it is ready is an error")
    func oneThatCrashesIsNotReady() throws {
        let streams = try start("exit 1")
        let path = scratch.path + "/logger"
        #expect(throws: TaskIOError.loggerEnded(path: path)) { try streams.waitForLogger(limit: .seconds(20)) }
        #expect(try end(streams.loggerPID) == .exited(code: 1))
        #expect(throws: TaskIOError.loggerEnded(path: path)) { try streams.waitForLogger(limit: .seconds(20)) }
    }

    @Test("A logger that never becomes ready is given up after the limit")
    func oneThatHangsIsNotWaitedForForEver() throws {
        let streams = try start("exec sleep 600")
        #expect(throws: TaskIOError.loggerNotReady(path: scratch.path + "/logger", seconds: 0)) {
            try streams.waitForLogger(limit: .milliseconds(50))
        }
        let pid = try there(streams.loggerPID)
        try Process.kill(pid, SIGKILL)
        #expect(try end(pid) == .signaled(signal: SIGKILL))
    }

    @Test("A missing logging program is an error")
    func oneThatIsNotThere() {
        #expect(throws: TaskIOError.logger(path: "/no/such", .noSuchFile)) {
            _ = try TaskStreams.open(
                stdin: "", stdout: "binary:///no/such", stderr: "", terminal: false, containerID: "c", namespace: "n")
        }
    }
}
