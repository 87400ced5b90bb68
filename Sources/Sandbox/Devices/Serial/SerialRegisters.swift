// SPDX-License-Identifier: Apache-2.0
/// The registers of a 16550A, and what they ask of the outside: a byte to send, an interrupt.
///
/// A byte is sent as soon as it is written, at any speed, so the transmitter is always empty. What a peer does on
/// the wires is left out: there are no line errors and no changes of the modem lines, and neither interrupts.
struct SerialRegisters {
    /// What came in and was not read yet, the oldest in the lowest byte.
    private var received: UInt128 = 0
    private var receivedCount = 0
    private var divisor: UInt16 = 12
    private var interruptEnable: UInt8 = 0
    private var isFIFOEnabled = false
    private var lineControl: UInt8 = 0
    private var modemControl: UInt8 = 0
    private var scratch: UInt8 = 0
    /// The transmitter became empty and nobody was told yet.
    private var isTransmitterReported = true
    /// Whether the interrupt line was high after the last access.
    private var isLineHigh = false

    /// The bytes a 16550A's receiver holds.
    static let fifoByteCount = 16

    mutating func read(_ offset: UInt8) -> UInt8 {
        switch offset {
        case SerialRegister.data:
            return isDivisorShown ? UInt8(truncatingIfNeeded: divisor) : takeReceived()
        case SerialRegister.interruptEnable:
            return isDivisorShown ? UInt8(truncatingIfNeeded: divisor >> 8) : interruptEnable
        case SerialRegister.interruptIdentity:
            let cause = cause
            // Being told of it is what clears this one.
            if cause == InterruptIdentity.transmitterEmpty { isTransmitterReported = true }
            return cause | (isFIFOEnabled ? InterruptIdentity.fifoEnabled : 0)
        case SerialRegister.lineControl: return lineControl
        case SerialRegister.modemControl: return modemControl
        case SerialRegister.lineStatus:
            return LineStatus.holdingEmpty | LineStatus.transmitterEmpty
                | (receivedCount > 0 ? LineStatus.dataReady : 0)
        case SerialRegister.modemStatus: return modemStatus
        case SerialRegister.scratch: return scratch
        default: return 0xff
        }
    }

    /// - Returns: whether `value` is a byte that leaves by the wire.
    mutating func write(_ offset: UInt8, _ value: UInt8) -> Bool {
        switch offset {
        case SerialRegister.data:
            if isDivisorShown {
                divisor = divisor & 0xff00 | UInt16(value)
                return false
            }
            isTransmitterReported = false
            guard isLoopedBack else { return true }
            receive(value)
        case SerialRegister.interruptEnable:
            if isDivisorShown {
                divisor = divisor & 0x00ff | UInt16(value) << 8
                return false
            }
            let rising = value & ~interruptEnable
            interruptEnable = value & InterruptEnable.all
            // Switched on with an empty transmitter, it interrupts at once: Linux tests for this.
            if rising & InterruptEnable.transmitterEmpty != 0 { isTransmitterReported = false }
        case SerialRegister.interruptIdentity:
            isFIFOEnabled = value & FIFOControl.enable != 0
            if value & FIFOControl.clearReceived != 0 { (received, receivedCount) = (0, 0) }
        case SerialRegister.lineControl: lineControl = value
        case SerialRegister.modemControl: modemControl = value & ModemControl.all
        case SerialRegister.scratch: scratch = value
        default: break  // The status registers are there to be read.
        }
        return false
    }

    /// Takes a byte that came in.
    ///
    /// - Returns: false where there is no room, and the byte is lost.
    @discardableResult
    mutating func receive(_ byte: UInt8) -> Bool {
        guard receivedCount < Self.fifoByteCount else { return false }
        received |= UInt128(byte) << (8 * receivedCount)
        receivedCount += 1
        return true
    }

    /// Where the interrupt line stands now.
    ///
    /// - Returns: whether it rose since the last call. A driver serves every cause until there is none, so that one
    ///   edge is enough for all that come meanwhile.
    mutating func updateLine() -> Bool {
        let wasHigh = isLineHigh
        isLineHigh = cause != InterruptIdentity.none
        return isLineHigh && !wasHigh
    }

    var isLoopedBack: Bool { modemControl & ModemControl.loopback != 0 }

    private var isDivisorShown: Bool { lineControl & LineControl.divisor != 0 }

    /// The first cause of an interrupt, by the data sheet's order.
    private var cause: UInt8 {
        if receivedCount > 0, interruptEnable & InterruptEnable.received != 0 { return InterruptIdentity.received }
        if !isTransmitterReported, interruptEnable & InterruptEnable.transmitterEmpty != 0 {
            return InterruptIdentity.transmitterEmpty
        }
        return InterruptIdentity.none
    }

    /// A peer that is always there and ready; or, looped back, the lines driven here.
    private var modemStatus: UInt8 {
        guard isLoopedBack else {
            return ModemStatus.clearToSend | ModemStatus.dataSetReady | ModemStatus.carrier
        }
        var status: UInt8 = 0
        if modemControl & ModemControl.requestToSend != 0 { status |= ModemStatus.clearToSend }
        if modemControl & ModemControl.terminalReady != 0 { status |= ModemStatus.dataSetReady }
        if modemControl & ModemControl.output1 != 0 { status |= ModemStatus.ring }
        if modemControl & ModemControl.output2 != 0 { status |= ModemStatus.carrier }
        return status
    }

    private mutating func takeReceived() -> UInt8 {
        guard receivedCount > 0 else { return 0 }
        let byte = UInt8(truncatingIfNeeded: received)
        received >>= 8
        receivedCount -= 1
        return byte
    }
}
