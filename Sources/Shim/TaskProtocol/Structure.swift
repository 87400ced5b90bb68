import CProtobuf
import CTaskProtocol

/// One of protobuf-c's structures, by its size and its `__init`.
@safe struct StructureKind {
    let byteCount: Int
    let initialize: (UnsafeMutableRawPointer) -> Void

    init<C: BitwiseCopyable>(_ initialize: @escaping (UnsafeMutablePointer<C>?) -> Void) {
        byteCount = MemoryLayout<C>.stride
        unsafe self.initialize = { unsafe initialize($0.assumingMemoryBound(to: C.self)) }
    }
}

/// A structure of some kind, in memory of a ``PackingArena``.
@safe struct Structure {
    let address: UnsafeMutableRawPointer

    /// What every structure starts with; `__init` points it to the structure's descriptor.
    var base: UnsafeMutablePointer<ProtobufCMessage> {
        unsafe address.assumingMemoryBound(to: ProtobufCMessage.self)
    }

    /// The structure as what it is.
    func of<C: BitwiseCopyable>(_ type: C.Type) -> UnsafeMutablePointer<C> {
        unsafe address.assumingMemoryBound(to: type)
    }

    /// Its bytes on the wire.
    func packed() -> [UInt8] {
        let byteCount = unsafe protobuf_c_message_get_packed_size(base)
        guard byteCount > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = unsafe protobuf_c_message_pack(base, buffer.baseAddress)
        }
    }
}
