// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ProgramArguments

@Suite("What fc-proxy is ordered to stand for")
struct ProxyTests {
    @Test("Every option of fc-proxy is parsed into its property")
    func everyWordIsTaken() throws {
        let words = [
            "--container", "c", "--exec", "e", "--control-fd", "1", "--stdin-fd", "0", "--stdout-fd", "3",
            "--lifeline-fd", "2", "--memory-cgroup-fd", "4", "--terminal", "--newlines", "--stall-ms", "900",
        ]
        let arguments = try ProxyArguments(parsing: words, descriptors: [15, 16, 17, 18, 19])
        #expect(arguments.container == "c")
        #expect(arguments.exec == "e")
        #expect(arguments.control == 16)
        #expect(arguments.input == 15)
        #expect(arguments.output == 18)
        #expect(arguments.error == nil)
        #expect(arguments.lifeline == 17)
        #expect(arguments.memoryCgroup == 19)
        #expect(arguments.hasTerminal)
        #expect(arguments.keepsNewlines)
        #expect(arguments.stallMilliseconds == 900)
    }

    @Test(
        "Missing, unknown, repeated and malformed options of fc-proxy are refused",
        arguments: [
            [], ["--container", "c"], ["--control-fd", "0"], ["--container", "c", "--control-fd", "2"],
            ["--container", "c", "--control-fd", "-1"],
            ["--container", "c", "--control-fd", "x"], ["--container"],
            ["--container", "c", "--control-fd", "0", "--no", "1"],
            ["--container", "c", "--container", "d", "--control-fd", "0"],
            ["--container", "c", "--control-fd", "0", "--stdin-fd", "0"],
            ["--container", "c", "--control-fd", "0", "--terminal", "--terminal"],
            ["--container", "c", "--control-fd", "0", "--stall-ms", "-1"],
            ["--container", "c", "--control-fd", "0", "--stall-ms", "1s"],
        ])
    func whatIsWrongIsRefused(words: [String]) {
        #expect(throws: ArgumentError.self) { try ProxyArguments(parsing: words, descriptors: [15, 16]) }
    }
}

@Suite("The command line of the server of bound sockets")
struct SocketServerTests {
    private static let token = String(repeating: "0", count: 32)

    private static func socket(
        name: String = "a", listener: String = "5", target: String = "6", token: String = token
    ) -> String { "name=\(name),listen-fd=\(listener),target-fd=\(target),token=\(token)" }

    @Test("Each flag of the socket server reaches its field, and two names may lead to one socket")
    func everyFlagHasItsPlace() throws {
        let arguments = try SocketServerArguments(parsing: [
            "--directory-fd", "3", "--process-fd", "4", "--socket", Self.socket(), "--socket",
            Self.socket(name: "b=", listener: "7", token: "0123456789abcdef0123456789abcdef"),
        ])
        #expect(arguments.directory == 3 && arguments.process == 4)
        #expect(arguments.sockets.map(\.name) == ["a", "b="])
        #expect(arguments.sockets.map(\.listener) == [5, 7] && arguments.sockets.map(\.target) == [6, 6])
        #expect(arguments.sockets.last?.token.prefix(3) == [0x01, 0x23, 0x45])
        #expect(try SocketServerArguments(parsing: arguments.arguments()) == arguments)
    }

    @Test(
        "Missing and malformed arguments of the socket server are refused",
        arguments: [
            [], ["--directory-fd", "3"], ["--directory-fd", "3", "--process-fd", "4"],
            ["--directory-fd", "3", "--process-fd", "2", "--socket", socket()],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(name: "a/b")],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(name: "")],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(token: "00")],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(target: "2")],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(listener: "2")],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(listener: "3")],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", socket(token: String(repeating: "A", count: 32))],
            ["--directory-fd", "3", "--process-fd", "4", "--socket", "name=a,listen-fd=5,target-fd=6"],
        ])
    func whatIsWrongIsRefused(words: [String]) {
        #expect(throws: ArgumentError.self) { try SocketServerArguments(parsing: words) }
    }
}

@Suite("The command line of the way to a resolver")
struct ResolverServerTests {
    private static let token = String(repeating: "0", count: 31) + "7"

    @Test("Each flag of the resolver's server reaches its field")
    func everyFlagHasItsPlace() throws {
        let arguments = try ResolverServerArguments(parsing: [
            "--network-fd", "3", "--process-fd", "4", "--listen-fd", "5", "--token", Self.token,
        ])
        #expect(arguments.network == 3 && arguments.process == 4 && arguments.listener == 5)
        #expect(arguments.token.count == 16 && arguments.token.last == 7)
        #expect(try ResolverServerArguments(parsing: arguments.arguments()) == arguments)
    }

    @Test(
        "Missing and malformed arguments of the resolver's server are refused",
        arguments: [
            [], ["--network-fd", "3", "--process-fd", "4", "--listen-fd", "5"],
            ["--network-fd", "3", "--process-fd", "4", "--token", token],
            ["--network-fd", "3", "--process-fd", "3", "--listen-fd", "5", "--token", token],
            ["--network-fd", "2", "--process-fd", "4", "--listen-fd", "5", "--token", token],
            ["--network-fd", "3", "--process-fd", "4", "--listen-fd", "5", "--token", token + "00"],
        ])
    func whatIsWrongIsRefused(words: [String]) {
        #expect(throws: ArgumentError.self) { try ResolverServerArguments(parsing: words) }
    }
}
