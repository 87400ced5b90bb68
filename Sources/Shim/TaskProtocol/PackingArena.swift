import CProtobuf
import CTaskProtocol
import Glibc

/// The memory of one message's structures, taken bit by bit and freed at once.
@safe final class PackingArena {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []
    private var left: Int

    /// - Parameter limit: how many bytes may be taken.
    init(limit: Int) {
        left = limit
    }

    deinit {
        unsafe blocks.forEach { unsafe free($0) }
    }

    private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount <= left, let block = unsafe malloc(max(1, byteCount)) else { return nil }
        left -= byteCount
        unsafe blocks.append(block)
        return unsafe block
    }

    /// Room for `count` values of C, uninitialized. Only where no limit is set.
    private func room<Value: BitwiseCopyable>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
        guard let block = unsafe allocate(count * MemoryLayout<Value>.stride) else {
            preconditionFailure("no memory for \(count) of \(type)")
        }
        return unsafe block.bindMemory(to: type, capacity: max(1, count))
    }

    /// An empty structure.
    func place(_ kind: StructureKind) -> Structure {
        let place = unsafe room(UInt64.self, count: (kind.byteCount + 7) / 8)
        unsafe kind.initialize(UnsafeMutableRawPointer(place))
        return unsafe Structure(address: place)
    }

    func bytes(_ bytes: some Collection<UInt8>) -> ProtobufCBinaryData {
        guard !bytes.isEmpty else { return unsafe ProtobufCBinaryData(len: 0, data: nil) }
        let copy = unsafe room(UInt8.self, count: bytes.count)
        _ = unsafe UnsafeMutableBufferPointer(start: copy, count: bytes.count).initialize(from: bytes)
        return unsafe ProtobufCBinaryData(len: bytes.count, data: copy)
    }

    func list<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
        let copy = unsafe room(Value.self, count: values.count)
        _ = unsafe UnsafeMutableBufferPointer(start: copy, count: values.count).initialize(from: values)
        return unsafe copy
    }

    /// `bytes` as a structure in this arena; nil where they are no such message, or want more memory than the arena
    /// may take.
    func unpack(_ bytes: [UInt8], _ kind: StructureKind) -> Structure? {
        let descriptor = unsafe place(kind).base.pointee.descriptor
        var allocator = unsafe ProtobufCAllocator(
            alloc: { data, byteCount in
                guard let data = unsafe data else { return nil }
                let arena = unsafe Unmanaged<PackingArena>.fromOpaque(data).takeUnretainedValue()
                return unsafe arena.allocate(byteCount)
            },
            // Freed with the arena.
            free: { _, _ in },
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
        let message = unsafe withUnsafeMutablePointer(to: &allocator) { allocator in
            unsafe bytes.withUnsafeBufferPointer {
                unsafe protobuf_c_message_unpack(descriptor, allocator, $0.count, $0.baseAddress)
            }
        }
        return unsafe message.map { unsafe Structure(address: $0) }
    }
}
