// SPDX-License-Identifier: Apache-2.0
import Linux
import Serial
import Testing

@testable import VMM

@Suite("A serial port's way to the log")
struct SerialLogTests {
    private let start = ContinuousClock.now

    private func contents(_ file: borrowing FileDescriptor) throws -> String {
        String(
            decoding: try FileDescriptor.open(file.borrowed.path).readAll(limit: 1 << 20), as: UTF8.self)
    }

    private func isReady(_ log: SerialLog) throws -> Bool {
        try !Poll.wait(log.readiness, .readable, until: Deadline(after: .zero)).isEmpty
    }

    @Test("The first bytes are logged at once, later ones at the log's pace")
    func atOnceThenAtItsPace() throws {
        let serial = try Serial()
        let file = try FileDescriptor.memory(named: "log")
        let log = try SerialLog(serial.output, file: file.duplicate())
        #expect(log.work(now: start) == nil)
        #expect(try !isReady(log))
        for byte in "Linux".utf8 { serial.write(0, byte) }
        #expect(try isReady(log))
        #expect(log.work(now: start) == start + SerialLog.pace)
        #expect(try contents(file) == "Linux")
        // What comes before the pace has passed wakes nobody.
        for byte in " 6.1".utf8 { serial.write(0, byte) }
        #expect(try !isReady(log))
        #expect(log.work(now: start + SerialLog.pace) == start + SerialLog.pace * 2)
        #expect(log.work(now: start + SerialLog.pace * 2) == nil, "quiet: the next byte tells")
        #expect(try contents(file) == "Linux 6.1")
        serial.write(0, 0x21)
        #expect(try isReady(log))
        log.finish()
        #expect(try contents(file) == "Linux 6.1!")
    }

    @Test("A flood on the serial port is bounded in the log, and its end is kept")
    func aFloodIsBoundedAndItsEndIsKept() throws {
        let serial = try Serial()
        let file = try FileDescriptor.memory(named: "log")
        let log = try SerialLog(serial.output, file: file.duplicate())
        for turn in 0..<20 {
            for _ in 0..<100_000 { serial.write(0, 0x78) }
            _ = log.work(now: start + SerialLog.pace * turn)
        }
        for byte in "the end".utf8 { serial.write(0, byte) }
        log.finish()
        let text = try contents(file)
        #expect(text.utf8.count < 300_000)
        #expect(text.hasSuffix("the end"))
        #expect(text.contains("bytes of console output left out here"))
        #expect(serial.output.droppedCount > 0)
    }
}
