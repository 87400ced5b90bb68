// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import Serial

/// What Linux' 8250 driver finds out about a port before it trusts it, step by step.
@Suite("A serial port as Linux probes it")
struct ProbeTests {
    private let serial: Serial

    init() throws { serial = try Serial() }

    @Test("The interrupt enable register holds four bits")
    func interruptEnableHoldsItsFourBits() {
        serial.write(1, 0)
        #expect(serial.read(1) == 0)
        serial.write(1, 0x0f)
        #expect(serial.read(1) == 0x0f)
        serial.write(1, 0xff)
        #expect(serial.read(1) == 0x0f, "a port of more kinds of interrupt than a 16550A has")
    }

    @Test("Loopback connects the modem control lines to the modem status")
    func loopbackTest() {
        #expect(serial.read(6) & 0xf0 == 0xb0, "a peer that is there and ready")
        // LOOP, OUT2 and RTS; then carrier and clear to send alone.
        serial.write(4, 0x1a)
        #expect(serial.read(6) & 0xf0 == 0x90)
        serial.write(4, 0x15)
        #expect(serial.read(6) & 0xf0 == 0x60)
        serial.write(4, 0xff)
        #expect(serial.read(4) == 0x1f)
        #expect(serial.read(6) & 0xf0 == 0xf0)
    }

    @Test("The port identifies itself as a 16550A")
    func fifosMakeItA16550A() {
        // No extended features where a 16650 has them.
        serial.write(3, 0xbf)
        serial.write(2, 0)
        serial.write(3, 0)
        #expect(serial.read(2) == 0x01)
        serial.write(2, 0x01)
        #expect(serial.read(2) & 0xc0 == 0xc0)
        for mode: UInt8 in [0x80, 0xbf] {
            serial.write(3, mode)
            #expect(serial.read(2) != 0, "would be taken for a 16650")
        }
        // A 16750 has another FIFO, once it is asked for with the divisor shown.
        serial.write(3, 0)
        serial.write(2, 0x01)
        let before = serial.read(2) >> 5
        serial.write(3, 0x80)
        serial.write(2, 0x21)
        #expect(serial.read(2) >> 5 == before && before == 6)
    }

    @Test("The receiver's FIFO holds sixteen bytes and can be cleared")
    func sixteenBytesFitTheReceiver() {
        serial.write(2, 0x07)
        serial.write(4, 0x10)
        for byte in 0..<255 as Range<UInt8> { serial.write(0, byte) }
        var read: [UInt8] = []
        while serial.read(5) & 1 != 0 { read.append(serial.read(0)) }
        #expect(read == Array(0..<16))
        #expect(serial.read(0) == 0)
        #expect(serial.output.take() == [], "looped back, nothing leaves by the wire")
        serial.write(0, 1)
        serial.write(2, 0x03)
        #expect(serial.read(5) & 1 == 0, "clearing the receiver's FIFO")
    }

    @Test("Enabling the transmitter interrupt asserts it anew")
    func theTransmitterInterruptIsAssertedAnew() {
        serial.write(1, 0x02)
        #expect(serial.read(2) & 0x0f == 0x02)
        #expect(serial.read(2) & 0x0f == 0x01, "being told clears it")
        serial.write(1, 0)
        serial.write(1, 0x02)
        #expect(serial.read(2) & 0x0f == 0x02, "a port with the THRE bug")
        serial.write(1, 0)
        #expect(serial.read(2) & 0x0f == 0x01)
    }

    @Test("The divisor latch is separate from the data and interrupt registers")
    func theDivisorIsKeptApart() {
        serial.write(3, 0x83)
        #expect(serial.read(0) == 12 && serial.read(1) == 0, "9600 baud as a BIOS leaves it")
        serial.write(0, 0x01)
        serial.write(1, 0x02)
        #expect(serial.read(0) == 1 && serial.read(1) == 2)
        serial.write(3, 0x03)
        #expect(serial.read(1) == 0, "the interrupts are not the divisor's")
        #expect(serial.read(3) == 0x03)
        #expect(serial.output.take() == [])
        serial.write(0, 0x41)
        #expect(serial.output.take() == [0x41])
    }

    @Test("The line status is read-only, the scratch register is kept, and unknown registers read as ones")
    func otherRegisters() {
        #expect(serial.read(5) == 0x60, "ready to send, nothing received")
        serial.write(5, 0)
        serial.write(6, 0)
        #expect(serial.read(5) == 0x60)
        serial.write(7, 0x5a)
        #expect(serial.read(7) == 0x5a)
        serial.write(8, 1)
        #expect(serial.read(8) == 0xff && serial.read(255) == 0xff)
    }
}
