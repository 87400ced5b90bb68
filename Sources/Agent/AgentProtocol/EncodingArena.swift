import CProtobuf
import Glibc

/// What a message's structures point to while it is packed; freed together.
@safe final class EncodingArena {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []

    deinit {
        unsafe blocks.forEach { unsafe $0.deallocate() }
    }

    /// Room for `count` values, uninitialized.
    private func allocate<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, count * MemoryLayout<Value>.stride), alignment: MemoryLayout<Value>.alignment)
        unsafe blocks.append(block)
        return unsafe block.bindMemory(to: Value.self, capacity: max(1, count))
    }

    /// A copy of `value` that lives as long as the arena. C structures only: nothing is deinitialized.
    func place<Value>(_ value: Value) -> UnsafeMutablePointer<Value> {
        let place = unsafe allocate(Value.self, count: 1)
        unsafe place.initialize(to: value)
        return unsafe place
    }

    /// `string` as C has it.
    func string(_ string: String, _ field: String) throws(AgentProtocolError) -> UnsafeMutablePointer<CChar> {
        var string = string
        let result = string.withUTF8 { bytes -> UnsafeMutablePointer<CChar>? in
            if unsafe bytes.contains(0) { return nil }
            let copy = unsafe allocate(CChar.self, count: bytes.count + 1)
            for index in bytes.indices { unsafe copy[index] = CChar(bitPattern: bytes[index]) }
            unsafe copy[bytes.count] = 0
            return unsafe copy
        }
        guard let result = unsafe result else { throw .containsNUL(field: field) }
        return unsafe result
    }

    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        let copy = unsafe allocate(UInt8.self, count: bytes.count)
        for (index, byte) in bytes.enumerated() { unsafe copy[index] = byte }
        return unsafe ProtobufCBinaryData(len: bytes.count, data: copy)
    }

    func list<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
        let copy = unsafe allocate(Value.self, count: values.count)
        for (index, value) in values.enumerated() { unsafe (copy + index).initialize(to: value) }
        return unsafe copy
    }

    /// A list of pointers, as protobuf-c has repeated messages and strings.
    func list<Pointee>(
        _ pointers: [UnsafeMutablePointer<Pointee>]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Pointee>?> {
        let copy = unsafe allocate(UnsafeMutablePointer<Pointee>?.self, count: pointers.count)
        for index in unsafe pointers.indices { unsafe (copy + index).initialize(to: pointers[index]) }
        return unsafe copy
    }

    func strings(
        _ strings: [String], _ field: String
    ) throws(AgentProtocolError) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        var pointers: [UnsafeMutablePointer<CChar>] = unsafe []
        for string in strings { unsafe pointers.append(try self.string(string, field)) }
        return unsafe list(pointers)
    }
}
