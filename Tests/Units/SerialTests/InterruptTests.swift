// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Serial

@Suite("A serial port's interrupts")
struct InterruptTests {
    private let serial: Serial

    init() throws { serial = try Serial() }

    private var isRaised: Bool { serial.interrupt.drain() }

    /// A driver's transmission by interrupts: bursts of 16 until all is sent, served until there is no cause left.
    @Test("A transmission driven by interrupts sends every byte, and another can begin")
    func aTransmissionByInterrupts() {
        let text = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        var sent = 0
        var services = 0
        serial.write(2, 0x01)
        serial.write(1, 0x02)
        while isRaised {
            services += 1
            while serial.read(2) & 0x0f == 0x02 {
                for byte in text[sent...].prefix(16) { serial.write(0, byte) }
                sent = min(text.count, sent + 16)
                if sent == text.count { serial.write(1, 0) }
            }
        }
        #expect(serial.output.take() == text)
        #expect(services > 0)
        serial.write(1, 0x02)
        #expect(isRaised, "the next transmission begins as the first did")
    }

    @Test("A port raises no interrupt that is not enabled")
    func noInterruptThatWasNotAskedFor() {
        for byte in 0..<32 as Range<UInt8> { serial.write(0, byte) }
        #expect(serial.receive([1, 2]) == 2)
        #expect(!isRaised)
        #expect(serial.read(2) & 0x0f == 0x01)
    }

    @Test("A burst of bytes raises one interrupt")
    func oneEdgeForABurst() {
        serial.write(1, 0x02)
        #expect(isRaised)
        #expect(serial.read(2) & 0x0f == 0x02)
        for byte in 0..<16 as Range<UInt8> { serial.write(0, byte) }
        #expect(isRaised)
        #expect(serial.metrics.first { $0.name == "interrupts" }?.value == 2)
    }

    @Test("Received bytes raise an interrupt and wait in a FIFO of sixteen")
    func bytesToReceive() {
        serial.write(1, 0x03)
        _ = serial.read(2)
        _ = isRaised
        #expect(serial.receive([0x61, 0x62]) == 2)
        #expect(isRaised)
        #expect(serial.read(2) & 0x0f == 0x04)
        #expect(serial.read(5) & 1 == 1)
        #expect(serial.read(0) == 0x61 && serial.read(0) == 0x62)
        #expect(serial.read(2) & 0x0f == 0x01)
        #expect(serial.receive([UInt8](repeating: 0, count: 20)) == 16)
        serial.write(4, 0x10)
        #expect(serial.receive([1]) == 0, "looped back")
    }
}
