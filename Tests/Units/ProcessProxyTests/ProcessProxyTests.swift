// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing

@testable import ProcessProxy

@Suite("ProcessProxy: stream pump") struct StreamPumpTests {
    /// Moves until nothing more does, or too long.
    private func run(_ pump: inout StreamPump) {
        for _ in 0..<1000 where !pump.isFinished { _ = pump.advance() }
    }

    @Test("A pump carries all bytes and then the end of the stream")
    func bytesAndTheirEndAreCarried() throws {
        let source = try UnixSocket.pair()
        let sink = try UnixSocket.pair()
        try source.first.writeAll(Array("every byte".utf8))
        try UnixSocket.shutdownWriting(source.first.borrowed)
        var pump = StreamPump(from: try source.second.duplicate(), to: try sink.first.duplicate(), endsByShutdown: true)
        run(&pump)
        let isFinished = pump.isFinished
        #expect(isFinished)
        #expect(try sink.second.readAll(limit: 100) == Array("every byte".utf8))
    }

    @Test("A full sink stops the pump from reading its source")
    func aFullSinkStopsTheReading() throws {
        let source = try UnixSocket.pair()
        let sink = try UnixSocket.pair()
        try sink.first.setNonBlocking(true)
        try source.second.setNonBlocking(true)
        var pump = StreamPump(from: try source.second.duplicate(), to: try sink.first.duplicate(), endsByShutdown: true)
        var given = 0
        let block = [UInt8](repeating: 7, count: 4096)
        try source.first.setNonBlocking(true)
        for _ in 0..<100_000 {
            guard (try? source.first.writeAll(block)) != nil else { break }
            given += block.count
            while pump.advance() {}
        }
        #expect(given < 64 << 20, "a sink nobody reads must stop the source")
        let (interest, isFinished) = (pump.interest, pump.isFinished)
        #expect(interest.source.fd == -1)
        #expect(interest.sink.fd >= 0)
        #expect(!isFinished)
    }

    @Test("A collecting pump takes everything although nobody reads, and delivers it later")
    func whatIsCollectedWaitsForNoReader() throws {
        let source = try UnixSocket.pair()
        let sink = try FileDescriptor.pipe()
        try sink.writer.setNonBlocking(true)
        try source.first.setNonBlocking(true)
        try source.second.setNonBlocking(true)
        var pump = StreamPump(
            from: try source.second.duplicate(), to: try sink.writer.duplicate(), endsByShutdown: false)
        pump.collects = true
        let block = [UInt8](repeating: 7, count: 4096)
        for _ in 0..<256 {
            try source.first.writeAll(block)
            _ = pump.advance()
        }
        try UnixSocket.shutdownWriting(source.first.borrowed)
        var taken = 0
        for _ in 0..<10_000 where !pump.isFinished {
            _ = pump.advance()
            taken += try sink.reader.read(upTo: 65536).count
        }
        #expect(taken == 1 << 20)
        let delivered = pump.deliveredByteCount
        #expect(delivered == 1 << 20)
    }

    @Test("A reader that leaves is noticed without a write")
    func aReaderThatLeavesIsNoticedWithoutAWrite() throws {
        let source = try UnixSocket.pair()
        let sink = try FileDescriptor.pipe()
        var pump = StreamPump(
            from: try source.second.duplicate(), to: try sink.writer.duplicate(), endsByShutdown: false)
        var entry = pump.interest.sink
        #expect(unsafe poll(&entry, 1, 0) == 0)
        _ = consume sink.reader
        #expect(unsafe poll(&entry, 1, 1000) == 1)
        let hasLeft = pump.noteSink(entry.revents)
        #expect(hasLeft)
    }

    @Test("A pump whose reader has gone ends, and its writer gets EPIPE")
    func aGoneReaderEndsTheWriter() throws {
        let source = try UnixSocket.pair()
        var pump: StreamPump
        do {
            let sink = try UnixSocket.pair()
            pump = StreamPump(
                from: try source.second.duplicate(), to: try sink.first.duplicate(), endsByShutdown: false)
            try UnixSocket.shutdownWriting(sink.first.borrowed)
        }
        SignalAction.ignorePipe()
        try source.first.writeAll([1])
        run(&pump)
        let isFinished = pump.isFinished
        #expect(isFinished)
        #expect(throws: Errno.brokenPipe) { try source.first.writeAll([2]) }
    }
}

@Suite("ProcessProxy: the caller's streams") struct CallerStreamTests {
    /// As under containerd: what is to be read is there, and its writer has gone.
    @Test("A FIFO whose writer left before the pump began still reaches its end")
    func aFIFOWithoutWritersEnds() throws {
        let path = "/tmp/fc-proxy-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        #expect(unsafe mkfifo(path, 0o600) == 0)
        defer { unsafe unlink(path) }
        let reader = try FileDescriptor.open(path, [.nonBlocking])
        do {
            let writer = try FileDescriptor.open(path, [.writeOnly, .nonBlocking])
            try writer.writeAll(Array("in".utf8))
        }
        let sink = try FileDescriptor.pipe()
        var pump = StreamPump(
            from: try CallerStream.nonBlocking(reader.borrowed, [], HostFiles()), to: try sink.writer.duplicate(),
            endsByShutdown: false)
        for _ in 0..<8 where pump.isToBeRead { _ = pump.advance() }
        let isFinished = pump.isFinished
        #expect(isFinished, "poll(2) would never tell of the end")
        #expect(try sink.reader.read(upTo: 10) == Array("in".utf8))
    }
}
