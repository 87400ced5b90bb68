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
        ("/a/b", "/a/b"), ("/a//./b/", "/a/b"), ("/a/../b", "/b"), ("/../..", "/"), ("", "/"), ("a", "/a"),
    ])
    func cleanedPaths(path: String, cleaned: String) {
        #expect(MountRules.cleaned(path) == cleaned)
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
        let from = try FileDescriptor.pipe()
        let to = try FileDescriptor.pipe()
        let (fromReader, fromWriter) = (from.reader.release(), from.writer.release())
        let (toReader, toWriter) = (to.reader.release(), to.writer.release())
        let writer = FileDescriptor(owning: fromWriter)
        let reader = FileDescriptor(owning: toReader)
        var isDone = false
        let relay = try Relay(
            loop, from: FileDescriptor(owning: fromReader), to: FileDescriptor(owning: toWriter), kind: .pipe,
            whenFinished: { isDone = true })
        relay.begin()
        try writer.setNonBlocking(true)
        try reader.setNonBlocking(true)
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        var sent = 0
        var received: [UInt8] = []
        while received.count < bytes.count {
            if sent < bytes.count {
                do { sent += try writer.write(bytes, sent..<bytes.count) } catch Errno.wouldBlock {}
            }
            try loop.turn(milliseconds: 0)
            do { received += try reader.read(upTo: 4096) } catch Errno.wouldBlock {}
        }
        #expect(received == bytes)
        #expect(!isDone)
        // Nobody closes the source, but it counts as complete.
        try writer.writeAll([1, 2, 3])
        relay.sourceIsComplete()
        #expect(isDone)
        #expect(try reader.read(upTo: 10) == [1, 2, 3])
    }
}
