import CAgentProtocol
import CProtobuf
import Glibc

/// The four messages that stand in frames, each with protobuf-c's functions for it.
enum Wire {
    /// What unpacking one message may allocate: two bytes of a frame can name a structure of a hundred.
    static let memoryLimit = 4 * Frame.limit

    /// protobuf-c's allocator over malloc with a budget.
    private final class Budget {
        var left = memoryLimit
    }

    /// Unpacks `bytes`, checks that packing gives them back, and calls `body` with the structure, which is
    /// gone afterwards.
    static func unpack<Message, Result>(
        _ bytes: [UInt8],
        by unpack: (UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?) -> UnsafeMutablePointer<
            Message
        >?,
        packedSize: (UnsafePointer<Message>?) -> Int,
        pack: (UnsafePointer<Message>?, UnsafeMutablePointer<UInt8>?) -> Int,
        free: (UnsafeMutablePointer<Message>?, UnsafeMutablePointer<ProtobufCAllocator>?) -> Void,
        _ body: (UnsafeMutablePointer<Message>) throws(AgentProtocolError) -> Result
    ) throws(AgentProtocolError) -> Result {
        guard bytes.count <= Frame.limit else { throw .frameTooLong(byteCount: bytes.count) }
        let budget = Budget()
        // The budget outlives the allocator, which outlives the message.
        defer { withExtendedLifetime(budget) {} }
        var allocator = unsafe ProtobufCAllocator(
            alloc: { data, size in
                guard let data = unsafe data else { return nil }
                let budget = unsafe Unmanaged<Budget>.fromOpaque(data).takeUnretainedValue()
                guard size <= budget.left else { return nil }
                budget.left -= size
                return unsafe malloc(max(size, 1))
            },
            free: { _, pointer in unsafe Glibc.free(pointer) },
            allocator_data: Unmanaged.passUnretained(budget).toOpaque())
        let message = unsafe withUnsafeMutablePointer(to: &allocator) { allocator in
            unsafe bytes.withUnsafeBufferPointer { unsafe unpack(allocator, $0.count, $0.baseAddress) }
        }
        guard let message = unsafe message else { throw .notAMessage(byteCount: bytes.count) }
        defer { unsafe withUnsafeMutablePointer(to: &allocator) { unsafe free(message, $0) } }
        // protobuf-c cuts strings at a NUL and forgives much else; what it understood must be all there was.
        guard unsafe packedSize(message) == bytes.count,
            unsafe packed(UnsafePointer(message), packedSize: packedSize, pack: pack) == bytes
        else { throw .notCanonical }
        return try unsafe body(message)
    }

    static func packed<Message>(
        _ message: UnsafePointer<Message>, packedSize: (UnsafePointer<Message>?) -> Int,
        pack: (UnsafePointer<Message>?, UnsafeMutablePointer<UInt8>?) -> Int
    ) -> [UInt8] {
        let byteCount = unsafe packedSize(message)
        return unsafe [UInt8](unsafeUninitializedCapacity: max(byteCount, 1)) { buffer, count in
            count = unsafe pack(message, buffer.baseAddress)
        }
    }

    // MARK: Fields

    static func string(_ pointer: UnsafeMutablePointer<CChar>?, _ field: String) throws(AgentProtocolError) -> String {
        guard let pointer = unsafe pointer else { return "" }
        guard let string = unsafe String(validatingCString: pointer) else { throw .notUTF8(field: field) }
        return string
    }

    static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        guard let start = unsafe data.data else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: data.len))
    }

    /// The entries of a repeated field, each through `convert`.
    static func list<Pointee, Value>(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Pointee>?>?, _ count: Int, _ field: String, limit: Int,
        _ convert: (UnsafeMutablePointer<Pointee>) throws(AgentProtocolError) -> Value
    ) throws(AgentProtocolError) -> [Value] {
        guard count <= limit else { throw .tooMany(field: field, count: count, limit: limit) }
        var values: [Value] = []
        values.reserveCapacity(count)
        for index in 0..<count {
            guard let pointer = unsafe pointers?[index] else { throw .missing(field: field) }
            values.append(try unsafe convert(pointer))
        }
        return values
    }

    static func strings(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, _ count: Int, _ field: String, limit: Int
    ) throws(AgentProtocolError) -> [String] {
        try unsafe list(pointers, count, field, limit: limit) { (pointer) throws(AgentProtocolError) in
            try unsafe string(pointer, field)
        }
    }
}

/// How long the lists of a message may be.
enum ListLimit {
    static let strings = 65536
    static let mounts = 4096
    static let groups = 65536
    static let entries = 4096
    static let processes = 65536
}
