// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SocketBridge
import Testing

@Suite("Two sockets made one connection") struct SocketBridgeTests {
    /// A bridge between the ends that `body` does not have.
    private func bridged(
        preface: [UInt8] = [], _ body: (EventLoop, borrowing FileDescriptor, borrowing FileDescriptor) throws -> Void
    ) throws -> Bool {
        let loop = try EventLoop()
        let client = try UnixSocket.pair()
        let server = try UnixSocket.pair()
        var hasFinished = false
        SocketBridge(loop, client.second, server.first, preface: preface) { hasFinished = true }.begin()
        try body(loop, client.first, server.second)
        while try loop.turn(milliseconds: 0) {}
        return hasFinished
    }

    private func settle(_ loop: EventLoop) throws {
        for _ in 0..<64 { try loop.turn(milliseconds: 0) }
    }

    @Test("Bytes pass in both directions, the preface first")
    func bytesGoBothWaysAfterThePreface() throws {
        let hasFinished = try bridged(preface: [1, 2, 3]) { loop, client, server in
            try client.writeAll([4, 5])
            try server.writeAll([6])
            try settle(loop)
            #expect(try Socket.receive(upTo: 100, from: server.borrowed) == [1, 2, 3, 4, 5])
            #expect(try Socket.receive(upTo: 100, from: client.borrowed) == [6])
        }
        #expect(!hasFinished)
    }

    @Test("Closing one direction leaves the other open until it is closed too")
    func aHalfThatIsClosedLeavesTheOther() throws {
        let hasFinished = try bridged { loop, client, server in
            try client.writeAll(Array("question".utf8))
            try UnixSocket.shutdownWriting(client.borrowed)
            try settle(loop)
            #expect(try server.readAll(limit: 100) == Array("question".utf8))
            try server.writeAll(Array("answer".utf8))
            try settle(loop)
            #expect(try Socket.receive(upTo: 100, from: client.borrowed) == Array("answer".utf8))
            try UnixSocket.shutdownWriting(server.borrowed)
            try settle(loop)
            #expect(try Socket.receive(upTo: 100, from: client.borrowed) == [])
        }
        #expect(hasFinished)
    }

    @Test("A peer that stops reading gives the writer EPIPE, and can still send")
    func whoReadsNoMoreStopsTheWriter() throws {
        _ = try bridged { loop, client, server in
            try UnixSocket.shutdownReading(server.borrowed)
            try client.writeAll([1])
            try settle(loop)
            #expect(throws: Errno.brokenPipe) { _ = try Socket.send([1], from: 0, on: client.borrowed) }
            try server.writeAll([2])
            try settle(loop)
            #expect(try Socket.receive(upTo: 100, from: client.borrowed) == [2], "the other way goes on")
        }
    }

    @Test("A slow reader stops the source, and no byte is lost")
    func aReaderThatIsSlowStopsTheSource() throws {
        _ = try bridged { loop, client, server in
            var given = 0
            let block = [UInt8](repeating: 7, count: 4096)
            for _ in 0..<10_000 {
                let count = try Socket.send(block, from: 0, on: client.borrowed)
                given += count
                try loop.turn(milliseconds: 0)
                if count == 0, try !loop.turn(milliseconds: 0) { break }
            }
            #expect(given < 4 << 20, "nothing may be piled up")
            var taken = 0
            while taken < given {
                if let bytes = try Socket.receive(upTo: 65536, from: server.borrowed) { taken += bytes.count }
                try loop.turn(milliseconds: 0)
            }
            #expect(taken == given)
        }
    }

    @Test("A message that carries descriptors ends the connection, and no byte passes")
    func descriptorsEndTheConnection() throws {
        let hasFinished = try bridged { loop, client, server in
            let null = try FileDescriptor.open("/dev/null")
            let number = null.borrowed
            let sent = try unsafe [UInt8]([1]).withUnsafeBytes {
                unsafe try DescriptorPassing.send($0, [number], on: client.borrowed)
            }
            #expect(sent == 1)
            try settle(loop)
            #expect(
                try Socket.receive(upTo: 100, from: server.borrowed) == [], "not the byte without what came with it")
        }
        #expect(hasFinished)
    }

    @Test("A bridge finishes when both ends close at once")
    func bothEndsMayGoAtOnce() throws {
        let loop = try EventLoop()
        var hasFinished = false
        do {
            let client = try UnixSocket.pair()
            let server = try UnixSocket.pair()
            SocketBridge(loop, client.second, server.first) { hasFinished = true }.begin()
        }
        for _ in 0..<8 { try loop.turn(milliseconds: 0) }
        #expect(hasFinished)
    }
}
