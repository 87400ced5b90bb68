// SPDX-License-Identifier: Apache-2.0
import Linux
import Serial

// The input is a guest's accesses to the ports, two bytes each: what and where, and the value. Held against it: no
// trap, the transmitter always ready, no byte lost or invented between the guest and the reader, and
// every cause of an interrupt one that can be served.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    guard let data, let serial = try? Serial(outputByteCount: 64) else { return 0 }
    run(UnsafeRawBufferPointer(start: data, count: byteCount), serial)
    return 0
}

private func run(_ input: UnsafeRawBufferPointer, _ serial: Serial) {
    var sent: UInt64 = 0
    var taken: UInt64 = 0
    var latched = false
    var looped = false
    for index in stride(from: 0, to: input.count - 1, by: 2) {
        let offset = input[index] & 0x0f
        let value = input[index + 1]
        switch input[index] >> 4 {
        case 0...7:
            if offset == 3 { latched = value & 0x80 != 0 }
            if offset == 4 { looped = value & 0x10 != 0 }
            if offset == 0, !latched, !looped { sent += 1 }
            serial.write(offset, value)
        case 8...12:
            let read = serial.read(offset)
            if offset == 5 { precondition(read & 0x60 == 0x60 && read & 0x9e == 0) }
            if offset > 7 { precondition(read == 0xff) }
        case 13:
            let taking = serial.receive([UInt8](repeating: value, count: Int(value)))
            precondition(taking <= 16 && !(looped && taking > 0))
        default:
            let bytes = serial.output.take()
            precondition(bytes.count <= 64)
            taken += UInt64(bytes.count)
            _ = serial.output.arm()
        }
        precondition(serial.output.writtenCount + serial.output.droppedCount == sent)
        precondition(taken <= serial.output.writtenCount)
    }
    // As a driver's handler: every cause goes away by being served.
    serial.write(4, 0)
    serial.write(3, 0)
    var turns = 0
    while serial.read(2) & 1 == 0 {
        while serial.read(5) & 1 != 0 { _ = serial.read(0) }
        turns += 1
        precondition(turns <= 2)
    }
    serial.interrupt.drain()
    serial.write(1, 0)
    serial.write(1, 2)
    precondition(serial.interrupt.drain())
    precondition(taken + UInt64(serial.output.take().count) == serial.output.writtenCount)
}
