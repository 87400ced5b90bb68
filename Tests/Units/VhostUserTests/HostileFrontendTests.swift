// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import TestSupport
import Testing
import VhostUser
import Virtio

/// A front-end that breaks the protocol gets an error or loses its connection; the back-end lives on, and no
/// descriptor it was sent stays open.
@Suite("Hostile front-end")
struct HostileFrontendTests {
    static func client() throws -> RawClient { try RawClient(try EchoDevice(queueSizes: [64, 64])) }

    /// A pipe whose writing end is sent away: its reader tells whether every copy was closed.
    final class Canary {
        private let reader: FileDescriptor
        private var writer: FileDescriptor?
        init() throws {
            let pipe = try FileDescriptor.pipe()
            reader = try pipe.reader.duplicate()
            writer = try pipe.writer.duplicate()
        }
        var borrowed: BorrowedDescriptor { writer.borrowed ?? BorrowedDescriptor(rawValue: -1) }
        /// Closes the own copy and waits for the end of the file, up to five seconds.
        func isClosedEverywhere() throws -> Bool {
            writer = nil
            let epoll = try Epoll()
            try epoll.add(reader.borrowed, .readable, token: 0)
            return try epoll.wait(milliseconds: 5000).first?.events.contains(.hangUp) ?? false
        }
    }

    @Test("Broken headers end the connection with an error that says why")
    func headers() throws {
        let big = try Self.client()
        try big.send(raw: RawClient.words(5, 1, 0xffff_ffff))
        #expect(try big.receive() == nil)
        #expect(big.end() == .payloadSize(request: 5, byteCount: 0xffff_ffff))

        let version = try Self.client()
        try version.send(1, flags: 2)
        #expect(try version.receive() == nil)
        #expect(version.end() == .flags(request: 1, 2))

        let reply = try Self.client()
        try reply.send(1, flags: 1 | 4)
        #expect(try reply.receive() == nil)
        #expect(reply.end() == .flags(request: 1, 5))

        let short = try Self.client()
        try short.send(raw: [1, 0, 0])
        #expect(short.end() == .truncated(byteCount: 3, expected: 12))

        let cut = try Self.client()
        try cut.send(raw: RawClient.words(2, 1, 8) + [1, 2, 3])
        #expect(cut.end() == .truncated(byteCount: 3, expected: 8))
        #expect(try Self.client().end() == nil)
    }

    @Test("A message may come byte by byte")
    func slowly() throws {
        let client = try Self.client()
        for byte in RawClient.words(17, 1, 0) { try client.send(raw: [byte]) }
        #expect(try client.receive()?.payload == RawClient.longs(2))
        #expect(client.end() == nil)
    }

    @Test(
        "An unknown request is refused, and ends the connection where no reply is asked for",
        arguments: [0, 19, 26, 35, 39, 41, 1000, .max] as [UInt32])
    func unknown(request: UInt32) throws {
        let client = try Self.client()
        try client.acknowledge()
        #expect(try client.command(request) == 1)
        #expect(try client.command(3) == 0, "the connection lives on")
        try client.send(request)
        #expect(try client.receive() == nil)
        #expect(client.end() == .unknownRequest(request))
    }

    @Test(
        "A payload of the wrong size ends the connection",
        arguments: [
            (1, 8), (2, 0), (2, 4), (2, 16), (3, 1), (5, 0), (5, 4), (5, 41), (8, 4), (9, 32), (9, 48), (10, 0),
            (12, 0),
            (13, 4), (16, 0), (17, 8), (18, 0), (24, 0), (24, 11), (25, 13), (34, 8), (36, 4), (37, 8), (37, 48),
            (38, 0),
        ] as [(UInt32, Int)])
    func payloadSize(request: UInt32, byteCount: Int) throws {
        let client = try Self.client()
        try client.send(request, [UInt8](repeating: 0, count: byteCount))
        #expect(try client.receive() == nil)
        #expect(client.end() == .payloadSize(request: request, byteCount: UInt32(byteCount)))
    }

    @Test("A wrong number of descriptors is refused, and all of them are closed")
    func descriptors() throws {
        for (request, payload, count) in [
            (1, [], 1), (3, [], 2), (12, RawClient.longs(0), 2), (12, RawClient.longs(0), 0),
            (13, RawClient.longs(0x100), 1),
            (5, RawClient.words(1, 0) + RawClient.longs(0, 4096, 0, 0), 2),
            (5, RawClient.words(2, 0) + RawClient.longs(0, 4096, 0, 0) + RawClient.longs(8192, 4096, 0, 0), 1),
            (37, RawClient.longs(0, 0, 4096, 0, 0), 0), (37, RawClient.longs(0, 0, 4096, 0, 0), 2),
            (38, RawClient.longs(0, 0, 4096, 0, 0), 2), (1000, [], 3),
        ] as [(UInt32, [UInt8], Int)] {
            let client = try Self.client()
            try client.acknowledge()
            let canary = try Canary()
            try client.send(request, flags: 9, payload, Array(repeating: canary.borrowed, count: count))
            if [1, 17].contains(request) {
                #expect(try client.receive() == nil)
            } else {
                #expect(try client.receive()?.payload.first == 1)
            }
            #expect(try canary.isClosedEverywhere(), "request \(request), \(count) descriptors")
            _ = client.end()
        }
    }

    @Test("More descriptors in one message than any takes are closed, and the connection with them")
    func tooManyDescriptors() throws {
        let client = try Self.client()
        let canary = try Canary()
        try client.send(5, RawClient.words(9, 0), Array(repeating: canary.borrowed, count: 9))
        #expect(try client.receive() == nil)
        #expect(try canary.isClosedEverywhere())
        #expect(client.end() == .receive(.messageTooLong))
    }

    @Test("Descriptors in the middle of a message are closed")
    func lateDescriptors() throws {
        let client = try Self.client()
        let canary = try Canary()
        try client.send(raw: RawClient.words(2, 1, 8))
        try client.send(raw: RawClient.longs(0), [canary.borrowed])
        #expect(try client.receive() == nil)
        #expect(try canary.isClosedEverywhere())
        #expect(client.end() == .descriptorCount(request: 2, 1))
    }

    @Test("Everything a connection holds is closed with it")
    func closedAtTheEnd() throws {
        let client = try Self.client()
        try client.acknowledge()
        let canaries = try (0..<5).map { _ in try Canary() }
        #expect(try client.command(12, RawClient.longs(0), [canaries[0].borrowed]) == 0)
        #expect(try client.command(12, RawClient.longs(0), [canaries[1].borrowed]) == 0)
        #expect(try canaries[0].isClosedEverywhere(), "replaced")
        #expect(try client.command(13, RawClient.longs(1), [canaries[2].borrowed]) == 0)
        #expect(try client.command(14, RawClient.longs(1), [canaries[3].borrowed]) == 0)
        #expect(try canaries[3].isClosedEverywhere(), "never kept")
        #expect(try client.command(38, RawClient.longs(0, 0, 1, 2, 3), [canaries[4].borrowed]) == 1)
        #expect(try canaries[4].isClosedEverywhere())
        #expect(client.end() == nil)
    }

    @Test("Values out of range and features that were not offered are refused")
    func values() throws {
        let client = try Self.client()
        try client.acknowledge()
        for request: UInt32 in [8, 10, 18] {
            #expect(try client.command(request, RawClient.words(2, 1)) == 1)
            #expect(try client.command(request, RawClient.words(.max, 1)) == 1)
        }
        for size: UInt32 in [0, 3, 2048, 65536, .max] { #expect(try client.command(8, RawClient.words(0, size)) == 1) }
        // Larger than the device's own: what QEMU's MMIO transport gives every queue.
        #expect(try client.command(8, RawClient.words(0, 1024)) == 0)
        #expect(try client.command(8, RawClient.words(0, 64)) == 0)
        #expect(try client.command(10, RawClient.words(0, 65536)) == 1)
        #expect(try client.command(9, RawClient.words(2, 0) + RawClient.longs(0, 0, 0, 0)) == 1)
        #expect(try client.command(9, RawClient.words(0, 1) + RawClient.longs(0, 0, 0, 0)) == 1, "dirty logging")
        #expect(try client.command(2, RawClient.longs(1 << 26)) == 1, "a feature that was not offered")
        #expect(try client.command(16, RawClient.longs(1 << 5)) == 1)
        #expect(try client.command(12, RawClient.longs(0x102)) == 1)
        #expect(try client.command(12, RawClient.longs(0x100)) == 1, "polling")
        #expect(try client.command(13, RawClient.longs(0x101)) == 0)
        #expect(try client.command(6, RawClient.longs(0)) == 1)
        #expect(try client.command(25, RawClient.words(0, 4, 0, 0)) == 1, "configuration is read-only")
        try client.send(11, RawClient.words(9, 0))
        #expect(try client.receive() == nil)
        #expect(client.end() == .ringIndex(9, count: 2))
    }

    @Test("Memory that cannot be mapped, and rings outside of it, are refused")
    func memory() throws {
        let device = try EchoDevice(queueSizes: [64])
        let client = try RawClient(device)
        try client.acknowledge()
        let memory = try MockMemory(byteCount: 1 << 20)
        let file = memory.file.borrowed
        func table(_ regions: [UInt64]...) -> [UInt8] {
            RawClient.words(UInt32(regions.count), 0) + regions.flatMap { $0.flatMap { RawClient.longs($0) } }
        }
        for regions in [
            [[0, 0, 0, 0]], [[0, 1 << 21, 0, 0]], [[0, .max, 0, 0]], [[.max, 4096, 0, 0]], [[0, 4096, 0, .max]],
            [[0, 8192, 0, 0], [4096, 4096, 0, 0]], [[0, 1 << 20, 0, 4096]],
        ] as [[[UInt64]]] {
            let payload =
                RawClient.words(UInt32(regions.count), 0) + regions.flatMap { $0.flatMap { RawClient.longs($0) } }
            #expect(try client.command(5, payload, regions.map { _ in file }) == 1, "\(regions)")
        }
        #expect(try client.command(2, RawClient.longs(MockDriver.usualFeatures | 1 << 30)) == 0)
        #expect(try client.command(5, table([0x1000, 1 << 20, 0x7000_0000, 0]), [file]) == 0)
        let kick = try EventFD()
        #expect(try client.command(12, RawClient.longs(0), [kick.descriptor.borrowed]) == 0)
        for address: UInt64 in [0, 0x6fff_fff0, 0x7010_0000, .max, 0x7000_0000 + (1 << 20) - 16, 0x7000_0008] {
            #expect(
                try client.command(9, RawClient.words(0, 0) + RawClient.longs(address, 0x7000_1000, 0x7000_2000, 0))
                    == 0)
            #expect(try client.command(18, RawClient.words(0, 1)) == 1, "\(address)")
            #expect(try client.command(18, RawClient.words(0, 0)) == 0)
        }
        #expect(device.seen.activations.isEmpty)
        #expect(client.end() == nil)
    }

    @Test("A running ring cannot be changed under the device")
    func running() throws {
        let device = try EchoDevice(queueSizes: [64])
        let client = try RawClient(device)
        try client.acknowledge()
        let memory = try MockMemory(byteCount: 1 << 20, start: 0)
        let call = try EventFD()
        let kick = try EventFD()
        #expect(try client.command(2, RawClient.longs(MockDriver.usualFeatures | 1 << 30)) == 0)
        #expect(
            try client.command(
                5, RawClient.words(1, 0) + RawClient.longs(0, 1 << 20, 0x7000_0000, 0), [memory.file.borrowed]) == 0)
        let address = RawClient.words(0, 0) + RawClient.longs(0x7000_0000, 0x7000_1000, 0x7000_2000, 0)
        #expect(try client.command(9, address) == 0)
        #expect(try client.command(13, RawClient.longs(0), [call.descriptor.borrowed]) == 0)
        #expect(try client.command(12, RawClient.longs(0), [kick.descriptor.borrowed]) == 0)
        #expect(try client.command(18, RawClient.words(0, 1)) == 0)
        #expect(device.seen.activations == [[0]])
        #expect(try client.command(8, RawClient.words(0, 32)) == 1)
        #expect(try client.command(10, RawClient.words(0, 7)) == 1)
        #expect(
            try client.command(9, RawClient.words(0, 0) + RawClient.longs(0x7000_4000, 0x7000_1000, 0x7000_2000, 0))
                == 1)
        #expect(try client.command(9, address) == 0, "the same again")
        #expect(try client.command(2, RawClient.longs(1 << 32 | 1 << 30)) == 1)
        #expect(device.seen.resets == 0)
        // A table without the ring's memory stops the device; the front-end is told.
        #expect(try client.command(5, RawClient.words(0, 0)) == 1)
        #expect(device.seen.resets == 1)
        #expect(client.end() == nil)
    }

    @Test("A driver without VERSION_1 is refused")
    func legacy() throws {
        let device = try EchoDevice(queueSizes: [64])
        let (backend, connection) = try ServedBackend.start(device)
        #expect(throws: VhostUserError.refused(request: 18, 1)) {
            _ = try MockDriver(connection: FileDescriptor(owning: connection), queueSizes: [8], features: 0)
        }
        #expect(backend.wait() == nil)
    }

    @Test("Random messages are answered or hung up on, and the back-end ends")
    func random() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let client = try Self.client()
            for _ in 0..<20 {
                let payload = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                    UInt8.random(in: 0..<8, using: &generator)
                }
                // It may have hung up already.
                guard (try? client.send(UInt32.random(in: 0..<42, using: &generator), payload)) != nil else { break }
            }
            _ = client.end()
        }
    }
}

@Suite("Front-end, against a broken back-end")
struct FrontendTests {
    @Test(
        "Wrong answers are errors",
        arguments: [
            RawClient.words(2, 5, 8) + RawClient.longs(0), RawClient.words(1, 1, 8) + RawClient.longs(0),
            RawClient.words(1, 5, 4) + [0, 0, 0, 0], RawClient.words(1, 5, 0xffff), [], [1],
        ])
    func answers(bytes: [UInt8]) throws {
        let pair = try UnixSocket.pair()
        let first = try pair.first.duplicate().release()
        try pair.second.writeAll(bytes)
        try UnixSocket.shutdownWriting(pair.second.borrowed)
        #expect(throws: VhostUserError.self) { _ = try Frontend(connection: FileDescriptor(owning: first)) }
    }
}
