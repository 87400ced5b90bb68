// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ProgramArguments

@Suite("The command line of fc-fsd")
struct FileServerTests {
    @Test("Each flag of fc-fsd reaches its field, and the others have defaults")
    func everyFlagHasItsPlace() throws {
        let arguments = try FileServerArguments(parsing: [
            "--socket-fd", "5", "--directory-fd", "6", "--tag", "x", "--threads", "2", "--read-only", "--cache", "none",
            "--inodes", "64", "--log-fd", "7",
        ])
        #expect(arguments.socket == .descriptor(5) && arguments.directory == .descriptor(6))
        #expect(arguments.tag == "x" && arguments.threadCount == 2 && arguments.isReadOnly)
        #expect(arguments.cache == .none && arguments.inodeLimit == 64 && arguments.log == 7)
        #expect(try FileServerArguments(parsing: arguments.arguments()) == arguments)
        let paths = try FileServerArguments(parsing: ["--socket-path", "/s", "--directory", "/d"])
        #expect(paths.socket == .path("/s") && paths.directory == .path("/d") && !paths.isReadOnly)
        #expect(paths.tag == "rootfs" && paths.threadCount == 4 && paths.cache == .auto && paths.log == 2)
    }

    @Test("Values at their defaults are not written")
    func defaultsAreLeftOut() throws {
        var arguments = FileServerArguments()
        arguments.socket = .descriptor(3)
        arguments.directory = .path("/shared")
        #expect(try arguments.arguments() == ["--socket-fd", "3", "--directory", "/shared"])
    }

    @Test(
        "A wrong flag or value is named in the error",
        arguments: [
            (["--nonsense"], ArgumentError.unknownFlag("--nonsense")),
            (["--socket-fd"], .missingValue(flag: "--socket-fd")),
            (["--socket-fd", "-1"], .badNumber(flag: "--socket-fd", value: "-1")),
            (["--socket-fd", "5x"], .badNumber(flag: "--socket-fd", value: "5x")),
            (["--threads", "0"], .badNumber(flag: "--threads", value: "0")),
            (["--threads", "65"], .badNumber(flag: "--threads", value: "65")),
            (["--inodes", "63"], .badNumber(flag: "--inodes", value: "63")),
            (["--cache", "sometimes"], .badValue(flag: "--cache", value: "sometimes")),
            (["--tag", ""], .badValue(flag: "--tag", value: "")),
            (
                ["--tag", String(repeating: "t", count: 37)],
                .badValue(flag: "--tag", value: String(repeating: "t", count: 37))
            ),
            (["--read-only", "--read-only"], .repeatedFlag("--read-only")),
            (["--tag", "a", "--tag", "b"], .repeatedFlag("--tag")),
        ])
    func mistakes(words: [String], error: ArgumentError) {
        let good = ["--directory", "/d"] + (words[0] == "--socket-fd" ? [] : ["--socket-path", "/s"])
        #expect(throws: error) { try FileServerArguments(parsing: good + words) }
    }

    @Test("A missing flag, or one that excludes another, is named in the error")
    func missing() {
        #expect(throws: ArgumentError.missingFlag("--socket-fd or --socket-path")) {
            try FileServerArguments(parsing: [])
        }
        #expect(throws: ArgumentError.missingFlag("--directory-fd or --directory")) {
            try FileServerArguments(parsing: ["--socket-fd", "3"])
        }
        #expect(throws: ArgumentError.missingFlag("--socket-fd or --socket-path")) {
            try FileServerArguments(parsing: ["--directory-fd", "3"])
        }
        #expect(throws: ArgumentError.conflictingFlags("--socket-fd", "--socket-path")) {
            try FileServerArguments(parsing: ["--socket-fd", "3", "--socket-path", "/s", "--directory", "/d"])
        }
    }
}
