// SPDX-License-Identifier: Apache-2.0
import Testing
import TestSupport

@testable import Linux

@Suite("Linux: sockets reached at an address they are not bound to", .enabled(if: TestNamespace.isAvailable))
struct InternetSocketTests {
    private static let service = InternetSocket.Address(host: 0x7f00_000b, port: 53)

    @Test("Datagrams and connections are led to sockets bound elsewhere, and the address stays free for others")
    func socketsAreFoundElsewhere() throws {
        let namespace = try TestNamespace()
        try namespace.ip("link", "set", "lo", "up")
        let seen = try namespace.inside { () throws(Errno) -> [String] in
            let free = InternetSocket.Address(host: 0x7f00_000b, port: 0)
            let datagrams = try InternetSocket.datagrams(at: free)
            let listener = try InternetSocket.listen(at: free)
            let source = try DatagramSource(Self.service)
            let steering = try SocketSteering(of: Self.service, to: listener.borrowed, datagrams.borrowed)
            // A name server of the container's.
            let all = InternetSocket.Address(host: 0, port: 53)
            let theirs = try InternetSocket.datagrams(at: all)
            let theirListener = try InternetSocket.listen(at: all)
            var seen: [String] = []
            let client = try InternetSocket.datagrams(at: InternetSocket.Address(host: 0, port: 0))
            try InternetSocket.send([1, 2, 3], to: Self.service, on: client.borrowed)
            if let (bytes, sender) = try Self.receive(datagrams) {
                seen.append("asked \(bytes)")
                try source.send([4, 5], to: sender)
            }
            if let (bytes, sender) = try Self.receive(client) {
                seen.append("answered \(bytes) by \(sender == Self.service)")
            }
            let connection = try InternetSocket.beginConnecting(to: Self.service)
            _ = try Poll.wait(listener.borrowed, .readable, until: Deadline(after: .seconds(5)))
            let server = try UnixSocket.accept(listener.borrowed)
            seen.append("connected \(try InternetSocket.address(of: server.borrowed) == Self.service)")
            // What is for another address of the same port is the others'.
            let other = InternetSocket.Address(host: 0x7f00_0001, port: 53)
            try InternetSocket.send([6], to: other, on: client.borrowed)
            if let (bytes, _) = try Self.receive(theirs) { seen.append("theirs \(bytes)") }
            _ = consume connection
            _ = consume theirListener
            _ = consume steering
            try InternetSocket.send([7], to: Self.service, on: client.borrowed)
            if let (bytes, _) = try Self.receive(theirs) { seen.append("theirs \(bytes)") }
            return seen
        }
        #expect(
            seen == ["asked [1, 2, 3]", "answered [4, 5] by true", "connected true", "theirs [6]", "theirs [7]"])
    }

    private static func receive(
        _ socket: borrowing FileDescriptor
    ) throws(Errno) -> (bytes: [UInt8], sender: InternetSocket.Address)? {
        _ = try Poll.wait(socket.borrowed, .readable, until: Deadline(after: .seconds(5)))
        return try InternetSocket.receive(upTo: 100, from: socket.borrowed)
    }

    @Test("A timer is readable when its time has come, and not after it was set anew")
    func aTimer() throws {
        let timer = try Timer()
        try timer.set(nanosecondsFromNow: 0)
        #expect(try !Poll.wait(timer.descriptor.borrowed, .readable, until: Deadline(after: .seconds(5))).isEmpty)
        try timer.set(nanosecondsFromNow: 3_600_000_000_000)
        #expect(try Poll.wait(timer.descriptor.borrowed, .readable, until: Deadline(after: .zero)).isEmpty)
        try timer.set(nanosecondsFromNow: nil)
        #expect(try Poll.wait(timer.descriptor.borrowed, .readable, until: Deadline(after: .zero)).isEmpty)
    }
}
