// SPDX-License-Identifier: Apache-2.0
/// Registers of a 16550A by offset from its first port, and their bits: National Semiconductor PC16550D, §8.
enum SerialRegister {
    /// Received byte when read, byte to send when written; the divisor's lower byte under ``LineControl/divisor``.
    static let data: UInt8 = 0
    /// The divisor's upper byte under ``LineControl/divisor``.
    static let interruptEnable: UInt8 = 1
    /// Read only; writing reaches the FIFO control register.
    static let interruptIdentity: UInt8 = 2
    static let lineControl: UInt8 = 3
    static let modemControl: UInt8 = 4
    static let lineStatus: UInt8 = 5
    static let modemStatus: UInt8 = 6
    static let scratch: UInt8 = 7
}

enum InterruptEnable {
    static let received: UInt8 = 1 << 0
    static let transmitterEmpty: UInt8 = 1 << 1
    /// The bits there are; the others read as 0.
    static let all: UInt8 = 0x0f
}

enum InterruptIdentity {
    static let none: UInt8 = 0x01
    static let transmitterEmpty: UInt8 = 0x02
    static let received: UInt8 = 0x04
    /// Both bits, as a 16550A has them whose FIFOs are on.
    static let fifoEnabled: UInt8 = 0xc0
}

enum FIFOControl {
    static let enable: UInt8 = 1 << 0
    static let clearReceived: UInt8 = 1 << 1
}

enum LineControl {
    /// The divisor latch takes the place of the first two registers.
    static let divisor: UInt8 = 1 << 7
}

enum ModemControl {
    static let terminalReady: UInt8 = 1 << 0
    static let requestToSend: UInt8 = 1 << 1
    static let output1: UInt8 = 1 << 2
    static let output2: UInt8 = 1 << 3
    static let loopback: UInt8 = 1 << 4
    /// The bits there are; the others read as 0.
    static let all: UInt8 = 0x1f
}

enum LineStatus {
    static let dataReady: UInt8 = 1 << 0
    static let holdingEmpty: UInt8 = 1 << 5
    static let transmitterEmpty: UInt8 = 1 << 6
}

enum ModemStatus {
    static let clearToSend: UInt8 = 1 << 4
    static let dataSetReady: UInt8 = 1 << 5
    static let ring: UInt8 = 1 << 6
    static let carrier: UInt8 = 1 << 7
}
