// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import ProgramArguments
import Testing
import TestSupport

@testable import ProcessProxy

/// fc-proxy as the server of a bound socket, the test being the guest, the server on the host, and the container.
@Suite("The server of bound sockets", .enabled(if: geteuid() == 0, "acts as other users"))
struct SocketServerTests {
    private let scratch = Scratch()
    private let token = StreamToken.random()
    private var service: String { scratch.path + "/service" }
    private var port: String { scratch.path + "/vsock_77" }

    private static var program: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fc-proxy"
    }

    /// Calls `body` while it serves, with the listening socket of the host's; ends the container, and waits for it.
    private func serving(backlog: Int = 128, _ body: (borrowing FileDescriptor) throws -> Void) throws {
        let host = try UnixSocket.listen(at: service, backlog: backlog)
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let directory = try FileDescriptor.open(scratch.path, [.path, .directory])
        let listener = try UnixSocket.listen(at: port, nonBlocking: true)
        let target = try FileDescriptor.open(service, .path)
        // A pipe's end is readable when the other is gone, as a pidfd is when its process is.
        let container = try FileDescriptor.pipe()
        var arguments = SocketServerArguments()
        arguments.directory = 3
        arguments.process = 4
        var socket = SocketServerArguments.Socket()
        (socket.name, socket.listener, socket.target, socket.token) = ("vsock_77", 5, 6, token.bytes)
        arguments.sockets = [socket]
        let words = [SocketServerArguments.mode] + (try arguments.arguments())
        let pid = try Process.spawn(
            Self.program, words,
            descriptors: [
                0: null.borrowed, 1: null.borrowed, 2: null.borrowed, 3: directory.borrowed,
                4: container.reader.borrowed, 5: listener.borrowed, 6: target.borrowed,
            ])
        let life = container.writer
        var failure: (any Error)?
        do { try body(host) } catch { failure = error }
        _ = consume life
        let deadline = Deadline(after: .seconds(5))
        var ended: Process.ExitStatus?
        while ended == nil, !deadline.hasPassed {
            ended = try Process.wait(for: pid, blocks: false)?.status
            SystemTime.sleep(milliseconds: 10)
        }
        if ended == nil { try Process.kill(pid, SIGKILL) }
        #expect(ended == .exited(code: 0))
        #expect(!scratch.exists("vsock_77"), "its place is taken away")
        if let failure { throw failure }
    }

    private func connect(_ greeting: [UInt8]) throws -> FileDescriptor {
        let guest = try UnixSocket.connect(to: port)
        try guest.writeAll(greeting)
        return guest
    }

    private func greeting(uid: UInt32 = 0, gid: UInt32 = 0) -> [UInt8] {
        SocketGreeting(token: token, uid: uid, gid: gid).bytes
    }

    private func isEnded(_ socket: borrowing FileDescriptor) throws -> Bool {
        guard try !Poll.wait(socket.borrowed, .readable, until: Deadline(after: .seconds(5))).isEmpty else {
            return false
        }
        return (try? Socket.receive(upTo: 1, from: socket.borrowed)) ?? [] == []
    }

    @Test("A guest's connection is carried to the host's server in both directions")
    func aConnectionIsCarried() throws {
        try serving { host in
            let guest = try connect(greeting() + Array("question".utf8))
            try UnixSocket.shutdownWriting(guest.borrowed)
            let server = try UnixSocket.accept(host.borrowed)
            #expect(try server.readAll(limit: 100) == Array("question".utf8))
            try server.writeAll(Array("answer".utf8))
            try UnixSocket.shutdownWriting(server.borrowed)
            #expect(try guest.readAll(limit: 100) == Array("answer".utf8))
        }
    }

    @Test("The host's server sees the user and group that the guest names")
    func theServerSeesTheUserThatTheGuestNames() throws {
        // Nobody but root may connect; the guest has let its user, and says who it is.
        try serving { host in
            try FileNode.setPermissions(0o600, of: service, at: .currentDirectory)
            for (uid, gid) in [(1234, 55), (0, 0), (65534, 7)] as [(UInt32, UInt32)] {
                let guest = try connect(greeting(uid: uid, gid: gid))
                let server = try UnixSocket.accept(host.borrowed)
                #expect(try UnixSocket.peer(of: server.borrowed) == UnixSocket.Peer(uid: uid, gid: gid))
                _ = consume guest
            }
        }
    }

    @Test("A connection without the token is ended and never reaches the host's server")
    func whoDoesNotKnowTheTokenReachesNothing() throws {
        try serving { host in
            try host.setNonBlocking(true)
            let other = SocketGreeting(token: .random(), uid: 0, gid: 0).bytes
            let guest = try connect(other)
            #expect(try isEnded(guest))
            let silent = try UnixSocket.connect(to: port)
            try silent.writeAll([1, 2, 3])
            try UnixSocket.shutdownWriting(silent.borrowed)
            #expect(try isEnded(silent))
            #expect(throws: Errno.wouldBlock) { _ = try UnixSocket.accept(host.borrowed) }
        }
    }

    @Test("Connections wait while the backlog of the host's server is full")
    func aBusyServerIsWaitedFor() throws {
        try serving(backlog: 1) { host in
            var guests = DescriptorList()
            for _ in 0..<8 { guests.append(try connect(greeting() + [9])) }
            SystemTime.sleep(milliseconds: 100)
            for _ in 0..<8 {
                let server = try UnixSocket.accept(host.borrowed)
                #expect(try server.read(upTo: 1) == [9])
            }
            _ = consume guests
        }
    }

    @Test("Connections beyond the limit wait until an earlier one ends")
    func moreConnectionsThanItTakesWait() throws {
        try serving { host in
            var guests = DescriptorList()
            var servers = DescriptorList()
            // Beyond the limit of 256 the kernel holds what is connected, up to the backlog.
            for _ in 0..<300 { guests.append(try connect(greeting())) }
            for _ in 0..<256 { servers.append(try UnixSocket.accept(host.borrowed)) }
            #expect(try Poll.wait(host.borrowed, .readable, until: Deadline(after: .milliseconds(200))).isEmpty)
            _ = guests.takeFirst()
            _ = servers.takeFirst()
            #expect(try !Poll.wait(host.borrowed, .readable, until: Deadline(after: .seconds(5))).isEmpty)
            _ = consume guests
            _ = consume servers
        }
    }

    @Test("Bytes under way when the container ends still reach the host's server")
    func whatIsOnItsWayWhenTheContainerEndsArrives() throws {
        var server: BorrowedDescriptor?
        try serving { host in
            let guest = try connect(greeting() + Array("last words".utf8))
            server = try UnixSocket.accept(host.borrowed).release()
            _ = consume guest
        }
        #expect(try FileDescriptor(owning: #require(server)).readAll(limit: 100) == Array("last words".utf8))
    }
}
