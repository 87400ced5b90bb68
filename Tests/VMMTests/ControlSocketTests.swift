import Glibc
import Linux
import Metrics
import Testing
import Virtio

@testable import VMM

/// A control socket in a directory of its own, served by hand.
private final class Served {
    let directory: String
    let socket: ControlSocket
    private var now = ContinuousClock.now
    private let note = Note()

    private final class Note { var lines: [String] = [] }

    var path: String { directory + "/c.sock" }
    var asked: [String] { note.lines }

    init(answer: @escaping (String) -> String = { "<\($0)>" }) throws {
        let directory = "/tmp/fc-control-\(UInt64.random(in: 0 ... .max))"
        guard unsafe mkdir(directory, 0o700) == 0 else { throw Errno(rawValue: errno) }
        self.directory = directory
        let note = note
        socket = try ControlSocket(listener: UnixSocket.listen(at: directory + "/c.sock")) { line in
            note.lines.append(line)
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

    /// All that came, and whether that was the end of it.
    var received: (text: String, isOver: Bool) {
        var bytes: [UInt8] = []
        while true {
            // A reset is an end too: words of ours that nobody read.
            guard let piece = try? Socket.receive(upTo: 65536, from: socket.rawValue) ?? nil else {
                return (String(decoding: bytes, as: UTF8.self), isReset)
            }
            if piece.isEmpty { return (String(decoding: bytes, as: UTF8.self), true) }
            bytes += piece
        }
    }

    private var isReset: Bool {
        (try? Poll.wait(socket.rawValue, .readable, until: Deadline(after: .zero)))?.contains(.hangUp) ?? true
    }
}

@Suite("The control socket of a monitor")
struct ControlSocketTests {
    @Test func aLineAndItsAnswer() throws {
        let served = try Served()
        let peer = try served.peer("metrics\n")
        #expect(try served.turn() == nil)
        #expect(peer.received == ("<metrics>\n", true))
        #expect(served.asked == ["metrics"])
    }

    @Test func aLineByteByByte() throws {
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

    @Test func onlyTheFirstLineCounts() throws {
        let served = try Served()
        let peer = try served.peer("one\ntwo\nthree\n")
        try served.turn()
        #expect(served.asked == ["one"])
        #expect(peer.received.isOver)
    }

    @Test func noEndOfLine() throws {
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

    @Test func longLines() throws {
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

    @Test func whatIsNoText() throws {
        let served = try Served()
        let peer = try served.peer()
        try peer.socket.writeAll([0xff, 0x00, 0xfe, 0x0a])
        try served.turn()
        #expect(served.asked == ["\u{fffd}\0\u{fffd}"])
        let empty = try served.peer("\n")
        try served.turn()
        #expect(empty.received == ("<>\n", true))
    }

    @Test func peersThatGo() throws {
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

    @Test func manyPeers() throws {
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

    @Test func anAnswerThatNobodyReads() throws {
        let served = try Served { _ in String(repeating: "x", count: 8 << 20) }
        let peer = try served.peer("metrics\n")
        // It gets what fits, and the monitor does not wait.
        #expect(try served.turn() == nil)
        #expect(peer.received.isOver)
    }
}

@Suite("What a monitor tells of itself", .timeLimit(.minutes(1)))
struct AttendanceTests {
    private static let report = MetricsReport(
        timeline: BootTimeline(),
        sections: [
            MetricsReport.Section(name: "vsock") { [Metric("rx_bytes", 5), Metric("tx_bytes", .max)] },
            MetricsReport.Section(name: "fs") { [] },
        ])
    private static let json = #"{"boot":[],"vsock":{"rx_bytes":5,"tx_bytes":18446744073709551615},"fs":{}}"#

    @Test func theReportIsOneLineOfJSON() {
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
    @Test func questionsOrdersAndTheSignal() throws {
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
        let log = pipe.second.rawValue
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

/// An attendance and its loop, on a thread that has the signal blocked.
private final class Serving {
    private let loop: DeviceLoop
    private var thread: Thread?

    init(_ loop: DeviceLoop, control: Int32, log: Int32, report: MetricsReport) throws {
        self.loop = loop
        thread = try Thread(named: "attendance") {
            do {
                let attendance = try Attendance(
                    control: control, log: log, loop: loop, report: report,
                    answer: { $0.hasPrefix("balloon ") ? "ok" : nil })
                // To this thread alone, whose loop collects it.
                raise(SIGUSR1)
                try loop.run()
                _ = attendance
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
