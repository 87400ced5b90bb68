// SPDX-License-Identifier: Apache-2.0
import CProtobuf
import Glibc

/// The memory of one message's structures, taken bit by bit and freed at once.
@safe final class MessageArena {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var left: Int

    /// - Parameter byteLimit: how many bytes may be taken.
    init(byteLimit: Int) {
        left = byteLimit
    }

    deinit {
        unsafe blocks.forEach { unsafe free($0) }
    }

    private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount >= 0, byteCount <= left, let block = unsafe malloc(max(1, byteCount)) else { return nil }
        left -= byteCount
        unsafe blocks.append(block)
        return unsafe block
    }

    /// Room for `count` values, uninitialized. Only where no limit is set.
    func room<Value: BitwiseCopyable>(for count: Int, of type: Value.Type) -> UnsafeMutablePointer<Value> {
        guard let block = unsafe allocate(count * MemoryLayout<Value>.stride) else {
            preconditionFailure("no memory for \(count) of \(type)")
        }
        return unsafe block.bindMemory(to: type, capacity: max(1, count))
    }

    func bytes(_ bytes: some Collection<UInt8>) -> ProtobufCBinaryData {
        guard !bytes.isEmpty else { return unsafe ProtobufCBinaryData(len: 0, data: nil) }
        let copy = unsafe room(for: bytes.count, of: UInt8.self)
        _ = unsafe UnsafeMutableBufferPointer(start: copy, count: bytes.count).initialize(from: bytes)
        return unsafe ProtobufCBinaryData(len: bytes.count, data: copy)
    }

    /// A structure of `kind` with nothing in it.
    func place(_ kind: MessageKind) -> MessageStructure {
        let byteCount = unsafe kind.descriptor.pointee.sizeof_message
        let place = unsafe room(for: (byteCount + 7) / 8, of: UInt64.self)
        unsafe protobuf_c_message_init(kind.descriptor, place)
        return unsafe MessageStructure(UnsafeMutableRawPointer(place))
    }

    /// `bytes` as a structure in this arena; nil where they are no such message, or want more memory than the arena may
    /// take.
    func unpack(_ bytes: [UInt8], _ kind: MessageKind) -> MessageStructure? {
        var allocator = unsafe ProtobufCAllocator(
            alloc: { data, byteCount in
                guard let data = unsafe data else { return nil }
                let arena = unsafe Unmanaged<MessageArena>.fromOpaque(data).takeUnretainedValue()
                return unsafe arena.allocate(byteCount)
            },
            // Freed with the arena.
            free: { _, _ in },
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
        let message = unsafe withUnsafeMutablePointer(to: &allocator) { allocator in
            unsafe bytes.withUnsafeBufferPointer {
                unsafe protobuf_c_message_unpack(kind.descriptor, allocator, $0.count, $0.baseAddress)
            }
        }
        return unsafe message.map { unsafe MessageStructure($0) }
    }
}

/// One of protobuf-c's structures, in memory of a ``MessageArena``.
@safe struct MessageStructure {
    let address: UnsafeMutableRawPointer

    init(_ address: UnsafeMutableRawPointer) {
        unsafe self.address = unsafe address
    }

    /// What every structure begins with.
    private var base: UnsafeMutablePointer<ProtobufCMessage> {
        unsafe address.assumingMemoryBound(to: ProtobufCMessage.self)
    }

    var kind: MessageKind { unsafe MessageKind(base.pointee.descriptor) }

    /// Its bytes on the wire.
    func packed() -> [UInt8] {
        let byteCount = unsafe protobuf_c_message_get_packed_size(base)
        guard byteCount > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            count = unsafe protobuf_c_message_pack(base, buffer.baseAddress)
        }
    }
}
