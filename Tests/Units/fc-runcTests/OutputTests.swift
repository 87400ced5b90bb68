// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Engine
import Glibc
import Linux
import Testing

@testable import fc_runc

@Suite("fc-runc: output") struct OutputTests {
    @Test("A list of containers has runc's columns")
    func columnsAsRuncs() {
        let text = Table.text([
            ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"],
            ["a", "9504", "created", "/tmp/cliwork/b", "2026-11-23T08:34:31.895247937Z", "root"],
        ])
        #expect(
            text == """
                ID          PID         STATUS      BUNDLE           CREATED                          OWNER
                a           9504        created     /tmp/cliwork/b   2026-11-23T08:34:31.895247937Z   root

                """)
    }

    @Test("The process table has the columns of ps")
    func processTable() {
        let entry = ProcessEntry(
            pid: 1, parentPID: 0, uid: 1000, startTicks: 5, cpuTicks: 366_100, terminal: "", command: "sleep 5")
        #expect(
            ProcessList.table([entry]) == """
                UID     PID     PPID    TTY     TIME      CMD
                1000    1       0       ?       01:01:01  sleep 5

                """)
    }

    @Test("Each check is printed with its verdict, its cause and its cure")
    func checkItems() {
        let text = Check.text([
            HostItem("kvm", .lacking(cause: "no vmx", cure: "use qemu")), HostItem("qemu", .available(detail: "7.2")),
            HostItem("guest kernel", .missing(cause: "/k: none", cure: "build it")),
        ])
        #expect(
            text == """
                kvm           warn  no vmx
                                    cure: use qemu
                qemu          ok    7.2
                guest kernel  fail  /k: none
                                    cure: build it

                """)
    }

    @Test(
        "Signals are parsed by name or number",
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigkill", 9), ("kill", 9), ("9", 9), ("0", 0), ("64", 64),
            ("SIGRTMIN", 34),
            ("RTMIN+3", 37), ("SIGRTMAX-1", 63), ("RTMAX", 64), ("chld", 17),
        ] as [(String, Int32)])
    func signals(_ text: String, _ number: Int32) throws {
        #expect(try Signal.number(text) == number)
    }

    @Test(
        "Unknown signals are refused",
        arguments: [
            "", "SIG", "SIGBOGUS", "-1", "65", "9.0", " 9", "RTMIN-1", "RTMAX+1", "RTMIN+31", "RTMIN3", "RTMAX--1",
            "SIGSIGTERM", "RTMIN+99999999999",
        ])
    func noSignals(_ text: String) {
        #expect(throws: UsageError.signal(text)) { try Signal.number(text) }
    }

    @Test("User names come from valid passwd lines, and unknown ids stay numbers")
    func userNames() {
        let users = UserNames(passwd: "root:x:0:0::/root:/bin/sh\nbad\na:x:1:\na2:x:1:1\n:::\nb:x:-1:1\n")
        #expect(users[0] == "root")
        #expect(users[1] == "a")
        #expect(users[77] == "77")
    }

    /// What one message makes of an empty log file.
    func logged(_ format: String, debug: Bool = false, _ body: (Log) -> Void) throws -> String {
        let path = "/tmp/fc-runc-log.\(getpid()).\(UInt64.random(in: 0 ... .max))"
        defer { try? Directory.remove(path, isDirectory: false) }
        let options = try GlobalOptions.parse(
            ["--log=\(path)", "--log-format=\(format)"] + (debug ? ["--debug"] : []))
        body(try Log(options))
        return String(decoding: try FileDescriptor.open(path).readAll(limit: 1 << 16), as: UTF8.self)
    }

    /// The line with its time, whatever that is, as `T`.
    func timeless(_ line: String) throws -> String {
        let start = try #require(line.range(of: "2"))
        let end = try #require(line.range(of: "Z\""))
        return line.replacingCharacters(in: start.lowerBound..<end.upperBound, with: "T\"")
    }

    @Test("A text log line is quoted where needed, and debug messages are left out")
    func textLog() throws {
        let text = try logged("text") { log in
            log.write(.error, "a \"b\"\n\u{1B}[31m\\ ü")
            log.write(.debug, "not told")
        }
        let expected = #"time="T" level=error msg="a \"b\"\n\u001b[31m\\ ü""# + "\n"
        #expect(try timeless(text) == expected)
        #expect(try timeless(logged("text") { $0.write(.info, "plain") }) == "time=\"T\" level=info msg=plain\n")
    }

    @Test("A JSON log line is escaped, and debug messages are written where asked")
    func jsonLog() throws {
        let text = try logged("json", debug: true) { log in log.write(.debug, "a \"b\"\r\n\0\u{85}\\ ü") }
        let expected = #"{"level":"debug","msg":"a \"b\"\r\n\u0000\u0085\\ ü","time":"T"}"# + "\n"
        #expect(try timeless(text) == expected)
    }

    @Test("An unknown log format or a log file that cannot be opened is refused")
    func otherFormatsAreRefused() throws {
        let options = try GlobalOptions.parse(["--log-format=xml"])
        #expect(throws: UsageError.logFormat("xml")) { try Log(options) }
        let nowhere = try GlobalOptions.parse(["--log=/nowhere/log"])
        #expect(throws: UsageError.file("/nowhere/log", .noSuchFile)) { try Log(nowhere) }
    }
}
