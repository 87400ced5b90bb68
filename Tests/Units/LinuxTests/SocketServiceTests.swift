// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing
import TestSupport

@Suite("What listens at a unix socket") struct SocketServiceTests {
    private let scratch = Scratch()
    private var path: String { scratch.path + "/s" }

    private func bound(_ type: Int32) throws -> FileDescriptor {
        let socket = FileDescriptor(owning: Glibc.socket(AF_UNIX, type | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        // The path is short, and the structure was zeroed.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket.rawValue, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        return socket
    }

    @Test("Probing a stream socket leaves no connection at its listener")
    func aStreamServerNoticesNothing() throws {
        let listener = try UnixSocket.listen(at: path, nonBlocking: true)
        #expect(try UnixSocket.service(at: path) == .stream)
        #expect(throws: Errno.wouldBlock) { _ = try UnixSocket.accept(listener.borrowed, nonBlocking: true) }
    }

    @Test("A datagram socket is recognised as long as somebody holds it open")
    func datagramsAreTold() throws {
        let socket = try bound(Int32(SOCK_DGRAM.rawValue))
        #expect(try UnixSocket.service(at: path) == .datagram)
        _ = consume socket
        #expect(try UnixSocket.service(at: path) == .none, "nobody has it open any more")
    }

    @Test("A sequenced-packet socket is recognised, listening or not")
    func sequencedPacketsAreTold() throws {
        let socket = try bound(Int32(SOCK_SEQPACKET.rawValue))
        #expect(try UnixSocket.service(at: path) == .sequencedPacket)
        #expect(listen(socket.rawValue, 1) == 0)
        #expect(try UnixSocket.service(at: path) == .sequencedPacket)
    }

    @Test("A regular file has no service, and a missing path is an error")
    func whatIsNoSocketIsAnError() throws {
        try scratch.write("", to: "s")
        #expect(try UnixSocket.service(at: path) == .none)
        #expect(throws: Errno.noSuchFile) { try UnixSocket.service(at: path + "x") }
    }

    @Test("A connection's peer has the user and group of the process that connected")
    func aPeerIsWhoConnected() throws {
        let listener = try UnixSocket.listen(at: path)
        let client = try UnixSocket.connect(to: path)
        let server = try UnixSocket.accept(listener.borrowed)
        #expect(try UnixSocket.peer(of: server.borrowed) == UnixSocket.Peer(uid: geteuid(), gid: getegid()))
        _ = consume client
    }
}
