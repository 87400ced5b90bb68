// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// The bytes of one message's payload, written and read field by field.
struct Payload: Equatable {
    var bytes: [UInt8]

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    init(_ value: UInt64) {
        bytes = []
        append(value)
    }

    /// A vring state: an index and a number.
    init(ring: UInt32, _ number: UInt32) {
        bytes = []
        append(ring)
        append(number)
    }

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        for index in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> Value(8 * index)))
        }
    }

    mutating func append(_ region: RegionMessage) {
        append(region.start.rawValue)
        append(region.byteCount)
        append(region.frontEndStart)
        append(region.fileOffset)
    }

    mutating func append(_ address: RingAddressMessage) {
        append(address.index)
        append(address.flags)
        append(address.descriptors)
        append(address.used)
        append(address.available)
        append(address.log)
    }

    /// The integer at `offset`, which the caller has held against the payload's size.
    func load<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, at offset: Int) -> Value {
        var value: Value = 0
        for index in 0..<(Value.bitWidth / 8) {
            value |= Value(truncatingIfNeeded: bytes[offset + index]) << Value(8 * index)
        }
        return value
    }

    func region(at offset: Int) -> RegionMessage {
        RegionMessage(
            start: GuestAddress(rawValue: load(at: offset)), byteCount: load(at: offset + 8),
            frontEndStart: load(at: offset + 16), fileOffset: load(at: offset + 24))
    }

    var ringAddress: RingAddressMessage {
        RingAddressMessage(
            index: load(at: 0), flags: load(at: 4), descriptors: load(at: 8), used: load(at: 16),
            available: load(at: 24), log: load(at: 32))
    }
}
