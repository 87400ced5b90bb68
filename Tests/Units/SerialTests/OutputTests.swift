// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Serial

@Suite("What a serial port sends")
struct OutputTests {
    private func metric(_ serial: Serial, _ name: String) -> UInt64? {
        serial.metrics.first { $0.name == name }?.value
    }

    private func isWoken(_ output: SerialOutput) -> Bool { output.ready.drain() }

    @Test("Sent bytes come out once and in order")
    func inOrderAndOnce() throws {
        let serial = try Serial(outputByteCount: 64)
        var sent: [UInt8] = []
        var taken: [UInt8] = []
        // Around the ring many times, in pieces of every size.
        for round in 0..<200 {
            for _ in 0..<(round % 64) {
                let byte = UInt8(truncatingIfNeeded: sent.count)
                serial.write(0, byte)
                sent.append(byte)
            }
            taken += serial.output.take()
        }
        #expect(taken == sent)
        #expect(metric(serial, "written_bytes") == UInt64(sent.count))
        #expect(metric(serial, "dropped_bytes") == 0)
    }

    @Test("Bytes that find no room are dropped and counted")
    func whatFindsNoRoomIsDroppedAndCounted() throws {
        let serial = try Serial(outputByteCount: 16)
        for byte in 0..<100 as Range<UInt8> { serial.write(0, byte) }
        #expect(serial.output.take() == Array(0..<16))
        #expect(metric(serial, "dropped_bytes") == 84)
        serial.write(0, 0x41)
        #expect(serial.output.take() == [0x41])
    }

    @Test("An output size that is not a power of two is refused")
    func aSizeThatIsNoPowerOfTwoIsRefused() {
        #expect(throws: Errno.invalidArgument) { _ = try Serial(outputByteCount: 100) }
        #expect(throws: Errno.invalidArgument) { _ = try Serial(outputByteCount: 0) }
    }

    @Test("A reader is woken once for all bytes that arrive before it arms again")
    func theReaderIsWokenOnceForAllThatCome() throws {
        let output = try Serial().output
        for byte in 0..<10 as Range<UInt8> { output.put(byte) }
        #expect(isWoken(output), "armed at the beginning")
        output.put(10)
        #expect(!isWoken(output), "woken again before it asked for it")
        #expect(!output.arm(), "there are bytes already")
        #expect(output.take().count == 11)
        #expect(output.arm())
        output.put(11)
        #expect(isWoken(output))
        #expect(output.take() == [11])
    }

    @Test("Bytes from several processors are each read or counted as dropped")
    func severalProcessorsAndAReader() throws {
        let serial = try Serial(outputByteCount: 4096)
        let each = 50_000
        func writer(_ byte: UInt8) throws -> Thread {
            try Thread(named: "vcpu") {
                for step in 0..<each {
                    serial.write(0, byte)
                    if step & 15 == 0 { _ = serial.read(5) }
                }
            }
        }
        let first = try writer(1)
        let second = try writer(2)
        var counts = [0, 0, 0]
        var idle = 0
        while counts[1] + counts[2] + Int(serial.output.droppedCount) < 2 * each, idle < 100 {
            let bytes = serial.output.take()
            for byte in bytes { counts[Int(byte)] += 1 }
            if bytes.isEmpty, serial.output.arm() {
                // Woken for every byte that comes after arming: an idle second would be a lost one.
                let happened = try Poll.wait(
                    serial.output.ready.descriptor.borrowed, .readable, until: Deadline(after: .seconds(1)))
                if happened.isEmpty { idle += 1 }
            }
        }
        first.join()
        second.join()
        #expect(counts[0] == 0)
        #expect(counts[1] <= each && counts[2] <= each)
        #expect(counts[1] + counts[2] + Int(serial.output.droppedCount) == 2 * each)
    }
}
