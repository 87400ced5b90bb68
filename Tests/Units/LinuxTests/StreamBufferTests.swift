// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing

@Suite("Bytes on their way")
struct StreamBufferTests {
    @Test("What was read goes out in order, and the end after it")
    func order() throws {
        let source = try UnixSocket.pair()
        let sink = try UnixSocket.pair()
        var buffer = StreamBuffer(chunkByteCount: 4)
        try source.first.writeAll(Array(1...6))
        try UnixSocket.shutdownWriting(source.first.borrowed)
        var all: [UInt8] = []
        loop: while true {
            switch buffer.fill(from: source.second.borrowed) {
            case .bytes: break
            case .ended: break loop
            case .nothingYet: Issue.record("a source that blocks has nothing")
            }
            while !buffer.isEmpty {
                guard case .bytes(let count) = buffer.drain(to: sink.first.borrowed) else { break }
                all += try sink.second.read(upTo: count)
            }
        }
        #expect(all == Array(1...6))
    }

    @Test("A source with nothing, and a sink with no room, are not waited for")
    func notBlocking() throws {
        let source = try FileDescriptor.pipe()
        let sink = try FileDescriptor.pipe()
        try source.reader.setNonBlocking(true)
        try sink.writer.setNonBlocking(true)
        var buffer = StreamBuffer()
        let filled = buffer.fill(from: source.reader.borrowed)
        #expect(filled == .nothingYet)
        var taken = 0
        while taken < 1 << 20 {
            if buffer.isEmpty { buffer = StreamBuffer(content: [UInt8](repeating: 7, count: 40000)) }
            guard case .bytes(let count) = buffer.drain(to: sink.writer.borrowed) else { break }
            taken += count
        }
        let drained = buffer.drain(to: sink.writer.borrowed)
        #expect(drained == .nothingNow)
        // How much a pipe holds is the host's to say: a user with many of them gets smaller ones.
        #expect(taken > 0 && !buffer.isEmpty)
    }

    @Test("A full buffer grows, and loses nothing")
    func growth() throws {
        let pipe = try FileDescriptor.pipe()
        var buffer = StreamBuffer(chunkByteCount: 8)
        var sent: [UInt8] = []
        for round in 0..<20 {
            let bytes = (0..<8).map { UInt8(truncatingIfNeeded: round * 8 + $0) }
            try pipe.writer.writeAll(bytes)
            sent += bytes
            while buffer.count < sent.count {
                guard case .bytes = buffer.fill(from: pipe.reader.borrowed) else { break }
            }
        }
        #expect(buffer.count == sent.count)
        let out = try FileDescriptor.pipe()
        while !buffer.isEmpty { _ = buffer.drain(to: out.writer.borrowed) }
        let received = try out.reader.read(upTo: 1000)
        #expect(received == sent)
    }

    @Test("A sink that nobody reads says so")
    func refusal() throws {
        let pair = try UnixSocket.pair()
        let sink = pair.takeFirst()
        var buffer = StreamBuffer(content: [1])
        let number = sink.borrowed
        #expect(throws: Errno.brokenPipe) { _ = try buffer.send(on: number) }
        #expect(buffer.count == 1)
        buffer.removeAll()
        #expect(buffer.isEmpty)
        _ = consume sink
    }

    @Test("Descriptors cannot be carried")
    func descriptors() throws {
        let pair = try UnixSocket.pair()
        try DescriptorPassing.send([1], [pair.first.borrowed], on: pair.first.borrowed)
        var buffer = StreamBuffer()
        let socket = pair.second.borrowed
        #expect(throws: Errno.notSupported) { _ = try buffer.receive(from: socket) }
    }
}
