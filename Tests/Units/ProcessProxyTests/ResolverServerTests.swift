// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import ProgramArguments
import Testing
import TestSupport

@testable import ProcessProxy

/// fc-proxy as the way to a resolver, the test being the guest, the machine, and the resolver in its namespace.
@Suite("The way to a namespace's resolver", .enabled(if: TestNamespace.isAvailable))
struct ResolverServerTests {
    private static var program: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fc-proxy"
    }

    private func status(_ pid: Int32, _ name: String) throws -> String? {
        let text = String(
            decoding: try FileDescriptor.open("/proc/\(pid)/status").readAll(limit: 65536), as: UTF8.self)
        return text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            .map { $0.split { $0 == "\t" || $0 == " " }.dropFirst().joined(separator: " ") }
    }

    @Test("A guest's connection reaches the resolver, through a process that may do nothing else")
    func aConnectionIsCarried() throws {
        let scratch = Scratch()
        let token = StreamToken.random()
        let namespace = try TestNamespace()
        try namespace.ip("link", "set", "lo", "up")
        let resolver = FileDescriptor(
            owning: try namespace.inside { () throws(Errno) in
                try InternetSocket.listen(at: InternetSocket.Address(host: 0x7f00_000b, port: 53)).release()
            })
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let port = scratch.path + "/port"
        let listener = try UnixSocket.listen(at: port, nonBlocking: true)
        // A pipe's end is readable when the other is gone, as a pidfd is when its process is.
        let machine = try FileDescriptor.pipe()
        var arguments = ResolverServerArguments()
        (arguments.network, arguments.process, arguments.listener, arguments.token) = (3, 4, 5, token.bytes)
        let pid = try Process.spawn(
            Self.program, [ResolverServerArguments.mode] + (try arguments.arguments()),
            descriptors: [
                0: null.borrowed, 1: null.borrowed, 2: null.borrowed, 3: namespace.file.borrowed,
                4: machine.reader.borrowed, 5: listener.borrowed,
            ])
        let guest = try UnixSocket.connect(to: port)
        try guest.writeAll(SocketGreeting(token: token, uid: 0, gid: 0).bytes + Array("question".utf8))
        _ = try Poll.wait(resolver.borrowed, .readable, until: Deadline(after: .seconds(5)))
        let server = try UnixSocket.accept(resolver.borrowed)
        #expect(try server.read(upTo: 100) == Array("question".utf8))
        try server.writeAll(Array("answer".utf8))
        #expect(try guest.read(upTo: 100) == Array("answer".utf8))
        #expect(try status(pid, "Uid") == "65534 65534 65534 65534")
        #expect(try status(pid, "Gid") == "65534 65534 65534 65534")
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(try status(pid, set) == "0000000000000000", "\(set)")
        }
        #expect(try status(pid, "NoNewPrivs") == "1")
        // A connection without the token reaches nothing.
        let stranger = try UnixSocket.connect(to: port)
        try stranger.writeAll(SocketGreeting(token: .random(), uid: 0, gid: 0).bytes)
        #expect((try? stranger.read(upTo: 1)) ?? [] == [])
        #expect(throws: Errno.wouldBlock) { _ = try UnixSocket.accept(resolver.borrowed) }
        _ = machine.takeReader()
        let deadline = Deadline(after: .seconds(5))
        var ended: Process.ExitStatus?
        while ended == nil, !deadline.hasPassed {
            ended = try Process.wait(for: pid, blocks: false)?.status
            SystemTime.sleep(milliseconds: 10)
        }
        if ended == nil { try Process.kill(pid, SIGKILL) }
        #expect(ended == .exited(code: 0))
    }
}
