import Glibc
import Linux
import Testing

@testable import ProcessProxy

@Suite struct ProxyArgumentsTests {
    @Test func everyWordIsTaken() throws {
        let arguments = try ProxyArguments([
            "--container", "c", "--exec", "e", "--control-fd", "5", "--stdin-fd", "6", "--stdout-fd", "7",
            "--lifeline-fd", "8", "--terminal", "--stall-ms", "900",
        ])
        #expect(arguments.name.container == "c")
        #expect(arguments.name.exec == "e")
        #expect(arguments.control == 5)
        #expect(arguments.input == 6)
        #expect(arguments.output == 7)
        #expect(arguments.error == nil)
        #expect(arguments.lifeline == 8)
        #expect(arguments.hasTerminal)
        #expect(arguments.stallMilliseconds == 900)
    }

    @Test(arguments: [
        [], ["--container", "c"], ["--control-fd", "5"], ["--container", "c", "--control-fd", "2"],
        ["--container", "c", "--control-fd", "x"], ["--container"],
        ["--container", "c", "--control-fd", "5", "--no", "1"],
        ["--container", "c", "--control-fd", "5", "--stall-ms", "-1"],
        ["--container", "c", "--control-fd", "5", "--stall-ms", "1s"],
    ])
    func whatIsWrongIsRefused(words: [String]) {
        #expect(throws: ProxyArguments.Problem.self) { try ProxyArguments(words) }
    }
}

@Suite struct StreamPumpTests {
    /// Moves until nothing more does, or too long.
    private func run(_ pump: inout StreamPump) {
        for _ in 0..<1000 where !pump.isFinished { _ = pump.advance() }
    }

    @Test func bytesAndTheirEndAreCarried() throws {
        let source = try UnixSocket.pair()
        let sink = try UnixSocket.pair()
        try source.first.writeAll(Array("every byte".utf8))
        try UnixSocket.shutdownWriting(source.first.rawValue)
        var pump = StreamPump(from: try source.second.duplicate(), to: try sink.first.duplicate(), endsByShutdown: true)
        run(&pump)
        let isFinished = pump.isFinished
        #expect(isFinished)
        #expect(try sink.second.readAll(limit: 100) == Array("every byte".utf8))
    }

    @Test func aFullSinkStopsTheReading() throws {
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
        #expect(interest != nil)
        #expect(!isFinished)
    }

    @Test func aGoneReaderEndsTheWriter() throws {
        let source = try UnixSocket.pair()
        var pump: StreamPump
        do {
            let sink = try UnixSocket.pair()
            pump = StreamPump(
                from: try source.second.duplicate(), to: try sink.first.duplicate(), endsByShutdown: false)
            try UnixSocket.shutdownWriting(sink.first.rawValue)
        }
        SignalAction.ignorePipe()
        try source.first.writeAll([1])
        run(&pump)
        let isFinished = pump.isFinished
        #expect(isFinished)
        #expect(throws: Errno.brokenPipe) { try source.first.writeAll([2]) }
    }
}

@Suite struct CallerStreamTests {
    /// As under containerd: what is to be read is there, and whoever wrote it has gone.
    @Test func aFIFOWithoutWritersEnds() throws {
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
            from: try CallerStream.nonBlocking(reader.rawValue, []), to: try sink.writer.duplicate(),
            endsByShutdown: false)
        for _ in 0..<8 where pump.isToBeRead { _ = pump.advance() }
        let isFinished = pump.isFinished
        #expect(isFinished, "poll(2) would never tell of the end")
        #expect(try sink.reader.read(upTo: 10) == Array("in".utf8))
    }
}
