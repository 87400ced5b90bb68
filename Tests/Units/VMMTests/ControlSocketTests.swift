// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing
import Virtio

@testable import VMM

/// A control socket in a directory of its own, served by hand.
private final class Served {
    let directory: String
    let socket: ControlSocket
    private var now = ContinuousClock.now
    private let note = Note()

    private final class Note {
        var lines: [String] = []
        /// Whether what comes beside a line is kept, and what was.
        var keeps = false
        var kept: FileDescriptor?
    }

    var path: String { directory + "/c.sock" }
    var asked: [String] { note.lines }
    /// Takes the descriptors beside the lines that follow.
    func keep() { note.keeps = true }
    func takeKept() -> FileDescriptor? { note.kept.take() }

    init(answer: @escaping (String) -> String = { "<\($0)>" }) throws {
        let directory = "/tmp/fc-control-\(UInt64.random(in: 0 ... .max))"
        guard unsafe mkdir(directory, 0o700) == 0 else { throw Errno(rawValue: errno) }
        self.directory = directory
        let note = note
        socket = try ControlSocket(listener: UnixSocket.listen(at: directory + "/c.sock")) { line, descriptor in
            note.lines.append(line)
            if note.keeps { note.kept = descriptor.take() }
            return answer(line)
        }
    }

    deinit {
        unsafe unlink(path)
        unsafe rmdir(directory)
    }

    /// Turns until nothing more is ready.
    @discardableResult
    func turn(after delay: Duration = .zero) throws -> ContinuousClock.Instant? {
        now += delay
        var next = try socket.work(now: now)
        while try !Poll.wait(socket.readiness, .readable, until: Deadline(after: .zero)).isEmpty {
            next = try socket.work(now: now)
        }
        return next
    }

    func peer(_ text: String = "") throws -> Peer {
        let peer = try Peer(UnixSocket.connect(to: path))
        if !text.isEmpty { try peer.write(text) }
        return peer
    }
}

private final class Peer {
    let socket: FileDescriptor
    init(_ socket: consuming FileDescriptor) { self.socket = socket }

    func write(_ text: String) throws { try socket.writeAll(Array(text.utf8)) }

    func write(_ text: String, with descriptors: [BorrowedDescriptor]) throws {
        let socket = socket.borrowed
        _ = try unsafe Array(text.utf8).withUnsafeBytes { buffer in
            try unsafe DescriptorPassing.send(buffer, descriptors, on: socket)
        }
    }

    /// All that came, and whether that was the end of it.
    var received: (text: String, isOver: Bool) {
        var bytes: [UInt8] = []
        while true {
            // A reset is an end too: words of ours that nobody read.
            guard let piece = try? Socket.receive(upTo: 65536, from: socket.borrowed) ?? nil else {
                return (String(decoding: bytes, as: UTF8.self), isReset)
            }
            if piece.isEmpty { return (String(decoding: bytes, as: UTF8.self), true) }
            bytes += piece
        }
    }

    private var isReset: Bool {
        (try? Poll.wait(socket.borrowed, .readable, until: Deadline(after: .zero)))?.contains(.hangUp) ?? true
    }
}

@Suite("The control socket of a monitor")
struct ControlSocketTests {
    @Test("A line gets its answer, and the connection ends")
    func aLineAndItsAnswer() throws {
        let served = try Served()
        let peer = try served.peer("metrics\n")
        #expect(try served.turn() == nil)
        #expect(peer.received == ("<metrics>\n", true))
        #expect(served.asked == ["metrics"])
    }

    @Test("A line may arrive byte by byte")
    func aLineByteByByte() throws {
        let served = try Served()
        let peer = try served.peer()
        for byte in "metrics" {
            try peer.write(String(byte))
            #expect(try served.turn() != nil)
        }
        #expect(peer.received == ("", false))
        try peer.write("\n")
        try served.turn()
        #expect(peer.received == ("<metrics>\n", true))
    }

    @Test("Only the first line of a connection counts")
    func onlyTheFirstLineCounts() throws {
        let served = try Served()
        let peer = try served.peer("one\ntwo\nthree\n")
        try served.turn()
        #expect(served.asked == ["one"])
        #expect(peer.received.isOver)
    }

    @Test("A peer that sends no whole line is disconnected at its deadline")
    func noEndOfLine() throws {
        let served = try Served()
        let silent = try served.peer()
        let slow = try served.peer("metrics")
        let deadline = try #require(try served.turn())
        #expect(try served.turn(after: .seconds(4)) == deadline)
        #expect(slow.received == ("", false) && silent.received == ("", false))
        // One byte more buys no time.
        try slow.write("x")
        #expect(try served.turn(after: .seconds(2)) == nil)
        #expect(slow.received.isOver && silent.received.isOver)
        #expect(served.asked.isEmpty)
    }

    @Test("A line over the limit ends the connection without an answer")
    func longLines() throws {
        let served = try Served()
        let longest = String(repeating: "x", count: 1024)
        let fits = try served.peer(longest + "\n")
        try served.turn()
        #expect(fits.received == ("<\(longest)>\n", true))
        let tooLong = try served.peer(longest + "x\n")
        try served.turn()
        #expect(tooLong.received.text.isEmpty && tooLong.received.isOver)
        let endless = try served.peer(String(repeating: "x", count: 100_000))
        #expect(try served.turn() == nil)
        #expect(endless.received.text.isEmpty && endless.received.isOver)
        #expect(served.asked == [longest])
    }

    @Test("A line of invalid UTF-8, or of no bytes, is answered too")
    func whatIsNoText() throws {
        let served = try Served()
        let peer = try served.peer()
        try peer.socket.writeAll([0xff, 0x00, 0xfe, 0x0a])
        try served.turn()
        #expect(served.asked == ["\u{fffd}\0\u{fffd}"])
        let empty = try served.peer("\n")
        try served.turn()
        #expect(empty.received == ("<>\n", true))
    }

    @Test("Peers that leave do no harm")
    func peersThatGo() throws {
        let served = try Served()
        do {
            _ = try served.peer()
            _ = try served.peer("metri")
            // It has gone before it is answered: no signal ends the monitor.
            _ = try served.peer("metrics\n")
        }
        #expect(try served.turn() == nil)
        #expect(served.asked == ["metrics"])
        let after = try served.peer("metrics\n")
        try served.turn()
        #expect(after.received.isOver)
    }

    @Test("Peers beyond eight are disconnected until a place is free")
    func manyPeers() throws {
        let served = try Served()
        var peers: [Peer] = []
        for _ in 0..<40 { peers.append(try served.peer()) }
        try served.turn()
        #expect(peers.count { !$0.received.isOver } == 8)
        // Those there are get their answers, and their places are free again.
        for peer in peers.prefix(8) { try peer.write("a\n") }
        #expect(try served.turn() == nil)
        #expect(peers.prefix(8).allSatisfy { $0.received == ("<a>\n", true) })
        let next = try served.peer("b\n")
        try served.turn()
        #expect(next.received == ("<b>\n", true))
    }

    @Test("A descriptor beside a line is the answerer's, whichever part of the line it came with")
    func descriptorsAreHandedOver() throws {
        let served = try Served()
        served.keep()
        let pipe = try FileDescriptor.pipe()
        for texts in [["net nic0 attach\n"], ["net", " nic0", " attach\n"]] {
            let peer = try served.peer()
            for (index, text) in texts.enumerated() {
                try peer.write(text, with: index == texts.count / 2 ? [pipe.writer.borrowed] : [])
                try served.turn()
            }
            #expect(peer.received == ("<net nic0 attach>\n", true))
            guard let kept = served.takeKept() else {
                Issue.record("nothing was handed over")
                return
            }
            try kept.writeAll([7])
            #expect(try pipe.reader.read(upTo: 2) == [7])
        }
    }

    @Test("A descriptor that a line has no use for is closed", arguments: ["metrics\n", "no end"])
    func unusedDescriptorsAreClosed(_ text: String) throws {
        let served = try Served()
        let reader = try pipe { writer in
            let peer = try served.peer()
            try peer.write(text, with: [writer])
            try served.turn()
        }
        // Nobody has the writing end once the peer has gone, too.
        try served.turn()
        #expect(try reader.read(upTo: 1).isEmpty)
    }

    @Test("A second descriptor is refused, and both are closed", arguments: [true, false])
    func oneDescriptorIsAllThereIs(isOneMessage: Bool) throws {
        let served = try Served()
        let reader = try pipe { writer in
            let peer = try served.peer()
            if isOneMessage {
                try peer.write("net nic0 attach\n", with: [writer, writer])
            } else {
                try peer.write("net ", with: [writer])
                try served.turn()
                try peer.write("nic0 attach\n", with: [writer])
            }
            try served.turn()
            #expect(peer.received == ("error: more than one descriptor\n", true))
        }
        #expect(served.asked.isEmpty)
        #expect(try reader.read(upTo: 1).isEmpty)
    }

    /// A pipe whose writing end is here during `body` alone.
    private func pipe(_ body: (BorrowedDescriptor) throws -> Void) throws -> FileDescriptor {
        let pipe = try FileDescriptor.pipe()
        let reader = try pipe.reader.duplicate()
        try body(pipe.writer.borrowed)
        _ = consume pipe
        return reader
    }

    @Test("An answer that nobody reads does not block the monitor")
    func anAnswerThatNobodyReads() throws {
        let served = try Served { _ in String(repeating: "x", count: 8 << 20) }
        let peer = try served.peer("metrics\n")
        // It gets what fits, and the monitor does not wait.
        #expect(try served.turn() == nil)
        #expect(peer.received.isOver)
    }
}

@Suite("What a monitor tells of itself", .timeLimit(.minutes(1)))
struct MonitorControlTests {
    private static let report = MetricsReport(
        timeline: BootTimeline(),
        sections: [
            MetricsReport.Section(name: "vsock") { [Metric("rx_bytes", 5), Metric("tx_bytes", .max)] },
            MetricsReport.Section(name: "fs") { [] },
        ])
    private static let json = #"{"boot":[],"vsock":{"rx_bytes":5,"tx_bytes":18446744073709551615},"fs":{}}"#

    @Test("The report is one line of JSON with each boot stage once")
    func theReportIsOneLineOfJSON() {
        #expect(Self.report.json == Self.json)
        let timeline = BootTimeline()
        timeline.mark("start")
        timeline.markInit()
        // However often the guest says so.
        timeline.markInit()
        let report = MetricsReport(timeline: timeline, sections: [])
        #expect(timeline.all.map(\.stage) == ["start", "init"])
        #expect(report.json.hasPrefix(#"{"boot":[{"stage":"start","wall_us":"#) && report.json.hasSuffix("}]}"))
    }

    /// Questions on the socket, and the signal, as in the program: one thread serves, and has the signal blocked.
    @Test("Questions and orders are answered on the socket, and the signal logs the report")
    func questionsOrdersAndTheSignal() throws {
        let directory = "/tmp/fc-control-\(UInt64.random(in: 0 ... .max))"
        try #require(unsafe mkdir(directory, 0o700) == 0)
        let path = directory + "/c.sock"
        defer {
            unsafe unlink(path)
            unsafe rmdir(directory)
        }
        let loop = try DeviceLoop()
        let control = try UnixSocket.listen(at: path).release()
        let pipe = try UnixSocket.pair()
        let log = pipe.second.borrowed
        let serving = try Serving(loop, control: control, log: log, report: Self.report)
        defer { serving.end() }
        for (line, answer) in [
            ("metrics", Self.json), ("balloon 5", "ok"), ("metrics ", "error: \"metrics \" is not understood"),
            ("metrics\r", "error: \"metrics\r\" is not understood"), ("", "error: \"\" is not understood"),
        ] {
            let peer = try UnixSocket.connect(to: path)
            try peer.writeAll(Array((line + "\n").utf8))
            #expect(try String(decoding: peer.readAll(limit: 4096), as: UTF8.self) == answer + "\n")
        }
        var logged: [UInt8] = []
        while !logged.contains(0x0a) { logged += try pipe.first.read(upTo: 4096) }
        #expect(String(decoding: logged, as: UTF8.self) == Self.json + "\n")
    }
}

/// A monitor's control and its loop, on a thread that has the signal blocked.
private final class Serving {
    private let loop: DeviceLoop
    private var thread: Thread?

    init(_ loop: DeviceLoop, control: BorrowedDescriptor, log: BorrowedDescriptor, report: MetricsReport) throws {
        self.loop = loop
        thread = try Thread(named: "control") {
            do {
                let control = try MonitorControl(
                    control: FileDescriptor(owning: control), log: log, loop: loop, report: report,
                    answer: { line, _ in line.hasPrefix("balloon ") ? "ok" : nil })
                // To this thread alone, whose loop collects it.
                raise(SIGUSR1)
                try loop.run()
                _ = control
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    func end() {
        loop.stop()
        thread.take()?.join()
    }
}
