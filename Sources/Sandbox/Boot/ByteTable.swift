// SPDX-License-Identifier: Apache-2.0
import GuestMemory

/// A structure of the guest's, built as bytes: little-endian, without padding.
struct ByteTable {
    private(set) var bytes: [UInt8]

    init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// `byteCount` zeros, to be filled in by `set`.
    init(zeros byteCount: Int) { bytes = [UInt8](repeating: 0, count: byteCount) }

    var count: Int { bytes.count }

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<Value.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            // A single byte has nothing left; shifting by its width gives 0.
            rest >>= 8
        }
    }

    mutating func append(_ more: [UInt8]) { bytes += more }
    // A constant of the program, copied.
    mutating func append(_ text: StaticString) { text.withUTF8Buffer { bytes += unsafe Array($0) } }

    /// Overwrites at `offset`, which the table must have.
    mutating func set<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        for index in 0..<Value.bitWidth / 8 {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
        }
    }

    mutating func set(_ more: some Collection<UInt8>, at offset: Int) {
        for (index, byte) in more.enumerated() { bytes[offset + index] = byte }
    }
}

extension GuestMemory {
    /// Writes a structure that the checks before have found to fit.
    func put(_ table: ByteTable, at address: UInt64) throws(BootError) {
        do throws(GuestMemoryError) {
            try write(table.bytes, at: GuestAddress(rawValue: address))
        } catch {
            throw .memory(error)
        }
    }
}

/// Little-endian fields of a header that was read from a file; the caller has checked that they are there.
extension [UInt8] {
    func integer<Value: FixedWidthInteger>(_ type: Value.Type = Value.self, at offset: Int) -> Value {
        var value: Value = 0
        for index in 0..<Value.bitWidth / 8 { value |= Value(truncatingIfNeeded: self[offset + index]) << (8 * index) }
        return value
    }
}
