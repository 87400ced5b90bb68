// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import Testing

@testable import Jailer

/// A jail under test: started by the real fc-jailer, with a shell of busybox's in it.
final class Jail {
    static let busybox = "/bin/busybox"
    /// Why there can be none; nil where there can.
    static let obstacle: Comment? =
        if getuid() != 0 {
            "needs root"
        } else if unsafe access(busybox, X_OK) != 0 {
            "needs the package busybox-static"
        } else if (try? Mount.copy("/", recursive: false).release()) == nil {
            "needs CAP_SYS_ADMIN"
        } else {
            nil
        }

    /// Beside the tests' own bundle, whose path the test runner is given.
    static var jailer: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
        return bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fc-jailer"
    }

    private var lifeline: Pipe?
    private let status: FileDescriptor
    private let output: FileDescriptor
    /// The jail's ends, let go once it has them.
    private var statusWriter: FileDescriptor?
    private var outputWriter: FileDescriptor?
    private let outputNumber: Int32
    /// The plan's numbers are of this process; processes are for the test to add.
    var plan: JailPlan

    init() throws {
        let lifeline = try FileDescriptor.pipe()
        let status = try FileDescriptor.pipe()
        let output = try FileDescriptor.pipe()
        plan = JailPlan(id: "test", lifeline: lifeline.reader.rawValue, status: status.writer.rawValue)
        outputNumber = output.writer.rawValue
        self.lifeline = consume lifeline
        self.status = status.reader
        statusWriter = consume status.writer
        self.output = output.reader
        outputWriter = consume output.writer
    }

    /// A process that runs `script`, writing to this jail's output as 1 and 2.
    func shell(_ script: String, name: String = "shell") -> JailedProcess {
        var process = JailedProcess(name: name, executable: Self.busybox, arguments: ["sh", "-c", script])
        process.environment = ["PATH=/bin"]
        process.mounts = [
            JailMount(source: .host(path: Self.busybox), destination: "/bin/busybox", isReadOnly: true),
            JailMount(source: .processes, destination: "/proc", isReadOnly: true),
        ]
        process.descriptors = [
            InheritedDescriptor(source: outputNumber, target: 1),
            InheritedDescriptor(source: outputNumber, target: 2),
        ]
        return process
    }

    /// Runs fc-jailer to its end.
    func start() throws -> Process.ExitStatus {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        var descriptors: [Int32: BorrowedDescriptor] = [0: null.borrowed, 1: null.borrowed, 2: null.borrowed]
        for number in plan.inheritedDescriptors { descriptors[number] = BorrowedDescriptor(rawValue: number) }
        let pid = try Process.spawn(Self.jailer, plan.arguments, descriptors: descriptors)
        let ended = try #require(try Process.wait(for: pid)).status
        statusWriter = nil
        outputWriter = nil
        return ended
    }

    /// The status lines so far, after waiting for one that `isLast` holds of.
    func statuses(until isLast: (JailStatus) -> Bool) throws -> [JailStatus] {
        var statuses: [JailStatus] = []
        while let line = try readLine(status.rawValue) {
            let status = try #require(JailStatus(line: line), "\(line)")
            statuses.append(status)
            if isLast(status) { break }
        }
        return statuses
    }

    /// The output up to a line that says `end`, or that nobody writes any more.
    func lines(until end: String = "end") throws -> [String] {
        var lines: [String] = []
        while let line = try readLine(output.rawValue), line != end { lines.append(line) }
        return lines
    }

    /// Lets go of the lifeline.
    func release() {
        lifeline = nil
    }

    /// A line of what comes, nil where nothing comes for five seconds.
    private func readLine(_ number: Int32) throws -> String? {
        var bytes: [UInt8] = []
        while true {
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&entry, 1, 5000) == 1, entry.revents & Int16(POLLIN) != 0 else { return nil }
            var byte: UInt8 = 0
            guard unsafe read(number, &byte, 1) == 1 else { return nil }
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
    }

    /// Whether the process behind `pidfd` ends within a second.
    static func endsSoon(_ pidfd: BorrowedDescriptor) -> Bool {
        var entry = pollfd(fd: pidfd.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 1000) == 1
    }
}
