// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaskIO

@Suite("TaskIO: stream addresses") struct StreamAddressTests {
    static let addresses: [(String, StreamAddress)] = [
        ("", StreamAddress.none),
        ("/run/fifo/a%20b?c", .fifo("/run/fifo/a%20b?c")),
        ("fifo:///run/a%20b", .fifo("/run/a b")),
        ("FILE:///var/log/a.log", .file("/var/log/a.log")),
        ("file:///var/log/a.log?maxsize=1", .file("/var/log/a.log")),
    ]

    @Test("Empty addresses, paths, FIFO URIs and file URIs are parsed", arguments: addresses)
    func reads(_ text: String, _ address: StreamAddress) throws {
        #expect(try StreamAddress(text, stream: "stdout") == address)
    }

    @Test("A binary URI is parsed into path, arguments and variables")
    func readsALoggingProgram() throws {
        let text = "binary:///usr/bin/logg%65r?--to=/var/a+b%26c&-x&env.LEVEL=a=b&env.CONTAINER_ID=other"
        guard case .program(let program) = try StreamAddress(text, stream: "stdout") else {
            Issue.record("no program")
            return
        }
        #expect(program.path == "/usr/bin/logger")
        #expect(program.arguments == ["--to", "/var/a b&c", "-x", ""])
        #expect(program.variables == ["LEVEL=a=b"])
    }

    static let wrong: [(String, TaskIOError)] = [
        ("relative/path", TaskIOError.relativePath(stream: "stdout", "relative/path")),
        ("fifo://host/run/a", .relativePath(stream: "stdout", "fifo://host/run/a")),
        ("file:/var/log", .relativePath(stream: "stdout", "file:/var/log")),
        ("://x", .relativePath(stream: "stdout", "://x")),
        ("http:///x", .scheme(stream: "stdout", "http")),
        ("attachablebinary:///x", .scheme(stream: "stdout", "attachablebinary")),
        ("file:///a%zz", .malformed(stream: "stdout", "file:///a%zz")),
        ("file:///a%4", .malformed(stream: "stdout", "file:///a%4")),
        ("file:///a%00b", .malformed(stream: "stdout", "file:///a%00b")),
        ("file:///a%ff", .malformed(stream: "stdout", "file:///a%ff")),
        ("/run/a\0b", .malformed(stream: "stdout", "/run/a\0b")),
        ("binary:///x?=v", .malformed(stream: "stdout", "binary:///x?=v")),
        ("binary:///x?env.=v", .malformed(stream: "stdout", "binary:///x?env.=v")),
        ("binary:///x?env.A%3DB=v", .malformed(stream: "stdout", "binary:///x?env.A%3DB=v")),
    ]

    @Test("A malformed or unsupported stream address is refused with its reason", arguments: wrong)
    func refuses(_ text: String, _ error: TaskIOError) {
        #expect(throws: error) { try StreamAddress(text, stream: "stdout") }
    }

    @Test("The length of an address and the number of its arguments are bounded")
    func isBounded() {
        let long = "/" + String(repeating: "a", count: StreamAddress.byteLimit)
        #expect(throws: TaskIOError.tooLong(stream: "stdin", byteCount: 65537, limit: 65536)) {
            try StreamAddress(long, stream: "stdin")
        }
        let many = "binary:///x?" + (0..<129).map { "a\($0)" }.joined(separator: "&")
        #expect(throws: TaskIOError.tooManyArguments(258, limit: 256)) { try StreamAddress(many, stream: "stdout") }
    }

    @Test("An error about an address stays short and on one line")
    func errorsStayOnALine() {
        let error = TaskIOError.relativePath(stream: "stdout", "a\nb" + String(repeating: "c", count: 300))
        #expect(!error.description.contains("\n"))
        #expect(error.description.count < 260)
    }
}
