import Glibc
import Linux
import SandboxPlan
import Testing

@testable import AgentCore

struct PieceTests {
    @Test func homes() {
        let file = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nu:x:1000:1000:U:/home/u:/bin/sh\nn:x:7:7:::\n"
        #expect(PasswordFile.home(of: 0, in: file) == "/root")
        #expect(PasswordFile.home(of: 1000, in: file) == "/home/u")
        #expect(PasswordFile.home(of: 7, in: file) == "/")
        #expect(PasswordFile.home(of: 8, in: file) == "/")
    }

    @Test func launchMessages() throws {
        let failure = LaunchFailure(.mount, .permissionDenied, "mount proc")
        guard case .failed(let read)? = LaunchMessage(LaunchMessage.failed(failure).bytes) else {
            Issue.record("not read")
            return
        }
        #expect(read.stage == .mount)
        #expect(read.errno == EACCES)
        #expect(read.message == "mount proc: permission denied")
        let long = LaunchFailure(.exec, String(repeating: "x", count: 100_000))
        #expect(LaunchMessage.failed(long).bytes.count == LaunchMessage.limit)
        for bytes: [UInt8] in [[], [2], [0, 0], [1], [1, 99, 0, 0, 0, 0], [1, 1, 0, 0, 0]] {
            #expect(LaunchMessage(bytes) == nil)
        }
    }

    @Test(arguments: [
        ("a", true), ("A_0+.-", true), ("", false), (".", false), ("..", false), ("a/b", false), ("a b", false),
        (String(repeating: "x", count: 255), true), (String(repeating: "x", count: 256), false), ("ä", false),
    ])
    func ids(id: String, isValid: Bool) {
        #expect(Agent.isValid(id) == isValid)
    }

    /// A pipe whose reader is slow, whose writer leaves, whose reader leaves.
    @Test func relay() throws {
        let loop = try EventLoop()
        let from = try Ends()
        let to = try Ends()
        var isDone = false
        let relay = try Relay(
            loop, from: from.takeReader(), to: to.takeWriter(), kind: .pipe, whenFinished: { isDone = true })
        relay.begin()
        let bytes: [UInt8] = (0..<1_000_000).map { (index: Int) in UInt8(truncatingIfNeeded: index / 7) }
        var sent = 0
        var received: [UInt8] = []
        while received.count < bytes.count {
            if sent < bytes.count {
                sent += (try? from.writer?.write(bytes, sent..<bytes.count)) ?? 0
            }
            try loop.turn(milliseconds: 0)
            received += (try? to.reader?.read(upTo: 4096)) ?? []
        }
        #expect(received == bytes)
        #expect(!isDone)
        // Nobody closes the source, but it counts as complete.
        try from.writer?.writeAll([1, 2, 3])
        relay.sourceIsComplete()
        #expect(isDone)
        let last = try to.reader?.read(upTo: 10)
        #expect(last == [1, 2, 3])
    }
}

/// A pipe whose ends can be given away one by one; the one that is kept does not block.
private final class Ends {
    private(set) var reader: FileDescriptor?
    private(set) var writer: FileDescriptor?

    init() throws {
        let pipe = try FileDescriptor.pipe()
        try pipe.reader.setNonBlocking(true)
        try pipe.writer.setNonBlocking(true)
        let (readerNumber, writerNumber) = (pipe.reader.release(), pipe.writer.release())
        reader = FileDescriptor(owning: readerNumber)
        writer = FileDescriptor(owning: writerNumber)
    }

    func takeReader() throws -> FileDescriptor {
        guard let end = reader.take() else { throw Errno.badFileDescriptor }
        return end
    }

    func takeWriter() throws -> FileDescriptor {
        guard let end = writer.take() else { throw Errno.badFileDescriptor }
        return end
    }
}
