// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import Testing

@testable import AgentCore

@Suite("AgentCore: passwd file, environment, maps, launch messages, ids and relays")
struct PieceTests {
    @Test("The home directory is that of the passwd entry, or / without one")
    func homes() {
        let file = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nu:x:1000:1000:U:/home/u:/bin/sh\nn:x:7:7:::\n"
        #expect(PasswordFile.home(of: 0, in: file) == "/root")
        #expect(PasswordFile.home(of: 1000, in: file) == "/home/u")
        #expect(PasswordFile.home(of: 7, in: file) == "/")
        #expect(PasswordFile.home(of: 8, in: file) == "/")
    }

    @Test("A passwd file is split by bytes, despite CRLF and combining marks")
    func homesInAFileFromElsewhere() {
        // What ends a line is the line feed alone; the shell of each keeps its carriage return.
        let file = "root:x:0:0:root:/root:/bin/sh\r\nbob:x:1000:1000::/home/bob:/bin/sh\r\n"
        #expect(PasswordFile.home(of: 0, in: file) == "/root")
        #expect(PasswordFile.home(of: 1000, in: file) == "/home/bob")
        // A combining mark after a colon is the next field's.
        let marked = "u:x:5:5:\u{301}U:/home/\u{301}u:/bin/sh\n"
        #expect(PasswordFile.home(of: 5, in: marked).utf8.elementsEqual("/home/\u{301}u".utf8))
    }

    @Test("Environment names compare by bytes, the last value wins, and an empty HOME is filled in")
    func environmentByBytes() {
        var plan = ProcessPlan(arguments: ["x"])
        // Two spellings of one character are two names; a name given twice is the second time's.
        plan.environment = ["\u{e9}=1", "e\u{301}=2", "A=1", "A=\u{301}2", "HOME=\u{301}h"]
        let environment = Executable.environment(of: plan, home: { _ in "/never" })
        #expect(
            environment.map { Array($0.utf8) }
                == ["\u{e9}=1", "e\u{301}=2", "A=\u{301}2", "HOME=\u{301}h"].map { Array($0.utf8) })
        plan.environment = ["HOME="]
        #expect(Executable.environment(of: plan, home: { _ in "/home" }) == ["HOME=/home"])
    }

    @Test("Private mappings of executed files are found, and malformed lines are skipped")
    func mappedPrograms() {
        let maps = """
            55d0-55d8 r--p 00000000 00:21 77 /bin/x y
            55d8-55f0 r-xp 00008000 00:21 77 /bin/x y
            55f0-55f8 rw-p 00020000 00:21 77 /bin/x y
            6000-7000 rw-p 00000000 00:00 0 [heap]
            7000-8000 r--p 00000000 00:21 5 /usr/share/locale
            8000-9000 rw-s 00000000 00:21 77 /bin/x y
            9000-8000 r-xp 00000000 00:21 9 backwards
            zz-8000 r-xp 00000000 00:21 9 /nonsense
            8000-
            """
        let programs = MappedPrograms(maps: Array(maps.utf8)).pieces
        #expect(programs.map(\.addresses) == [0x55d0..<0x55d8, 0x55d8..<0x55f0, 0x55f0..<0x55f8])
        #expect(programs.map(\.offset) == [0, 0x8000, 0x20000])
        #expect(Set(programs.map(\.file)) == [Array("00:21 77".utf8)])
        #expect(MappedPrograms(maps: []).pieces.isEmpty)
    }

    @Test("Launch failures survive encoding, long ones are cut, and malformed ones are rejected")
    func launchMessages() throws {
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

    @Test(
        "A container id is 1 to 255 ASCII letters, digits or _ + . - and never a dot entry",
        arguments: [
            ("a", true), ("A_0+.-", true), ("", false), (".", false), ("..", false), ("a/b", false), ("a b", false),
            (String(repeating: "x", count: 255), true), (String(repeating: "x", count: 256), false), ("ä", false),
        ])
    func ids(id: String, isValid: Bool) {
        #expect((ContainerID(rawValue: id) != nil) == isValid)
    }

    /// A pipe whose reader is slow, whose writer leaves, whose reader leaves.
    @Test("A relay passes every byte to a slow reader and empties a source that is complete")
    func relay() throws {
        let loop = try EventLoop()
        let from = try Ends()
        let to = try Ends()
        let relay = try Relay(loop, from: from.takeReader(), to: to.takeWriter(), kind: .pipe)
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
        #expect(!relay.isFinished)
        // Nobody closes the source, but it counts as complete.
        try from.writer?.writeAll([1, 2, 3])
        relay.sourceIsComplete()
        #expect(relay.isFinished)
        let last = try to.reader?.read(upTo: 10)
        #expect(last == [1, 2, 3])
    }

    /// The writer is to see its reader leave, also while it writes nothing.
    @Test("A relay closes its source when its reader leaves, even while nothing is written")
    func aRelayLetsGoOfItsSourceWhenItsReaderLeaves() throws {
        let loop = try EventLoop()
        let from = try Ends()
        let to = try Ends()
        let relay = try Relay(loop, from: from.takeReader(), to: to.takeWriter(), kind: .pipe)
        relay.begin()
        try loop.turn(milliseconds: 0)
        #expect(!relay.isFinished)
        _ = try to.takeReader()
        try loop.turn(milliseconds: 1000)
        #expect(relay.isFinished)
        SignalAction.ignorePipe()
        #expect(throws: Errno.brokenPipe) { try from.writer?.writeAll([1]) }
    }

    /// What the host has not read counts as well.
    @Test("A relay's byte count includes bytes that still wait in the source")
    func aRelayTakesStockOfWhatWaits() throws {
        let loop = try EventLoop()
        let from = try Ends()
        let to = try Ends()
        let relay = try Relay(loop, from: from.takeReader(), to: to.takeWriter(), kind: .pipe)
        relay.begin()
        let block = [UInt8](repeating: 1, count: 4096)
        var written: UInt64 = 0
        for _ in 0..<100 {
            while let count = try? from.writer?.write(block, 0..<block.count) { written += UInt64(count) }
            try loop.turn(milliseconds: 0)
        }
        // Two pipes and the relay's buffer are full.
        #expect(written > 150_000)
        #expect(relay.takeStock() == written)
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
