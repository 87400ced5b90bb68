// SPDX-License-Identifier: Apache-2.0
/// A value that is a message on the wire. It lists its fields once, and that list both reads and writes them.
package protocol PackedMessage {
    /// The value before its fields are read.
    static var blank: Self { get }

    /// Names each field, so that `fields` carries it over in its direction. What is read is checked here as well: nothing is
    /// used of a message with a failure.
    mutating func exchange(_ fields: MessageFields)
}

/// A message that is sent by itself, not only within another.
package protocol RootMessage: PackedMessage {
    static var kind: MessageKind { get }
    /// What is taken from a peer.
    static var bounds: MessageBounds { get }
}

/// What a message of a peer may be.
package struct MessageBounds: Sendable {
    /// The most bytes of a message.
    package var byteCount: Int
    /// The most bytes of memory that unpacking one may take: two bytes of it can name a structure of a hundred.
    package var memoryByteCount: Int
    /// The most entries of a list, unless its field says another number.
    package var entryCount: Int
    /// Whether bytes are refused that packing the message again would not give. protobuf-c forgives much, such as a field
    /// twice; fields that it does not know are fine where they stand behind those it does.
    package var isCanonical: Bool

    package init(byteCount: Int, memoryByteCount: Int, entryCount: Int, isCanonical: Bool) {
        self.byteCount = byteCount
        self.memoryByteCount = memoryByteCount
        self.entryCount = entryCount
        self.isCanonical = isCanonical
    }
}

extension RootMessage {
    /// Reads bytes of a peer that may be hostile.
    package init(unpacking bytes: [UInt8]) throws(MessageError) {
        let bounds = Self.bounds
        guard bytes.count <= bounds.byteCount else { throw .tooLong(byteCount: bytes.count, limit: bounds.byteCount) }
        let arena = MessageArena(byteLimit: bounds.memoryByteCount)
        // What protobuf-c unpacks lives in the arena.
        defer { withExtendedLifetime(arena) {} }
        guard let structure = arena.unpack(bytes, Self.kind) else {
            throw .notAMessage(kind: Self.kind.name, byteCount: bytes.count)
        }
        if bounds.isCanonical, structure.packed() != bytes { throw .notCanonical }
        let transfer = Transfer(.reading(entryLimit: bounds.entryCount))
        self = .blank
        exchange(MessageFields(structure, transfer))
        if let failure = transfer.failure { throw failure }
    }

    /// The message's bytes.
    ///
    /// - Returns: also what was wrong with the first field that a reader of this protocol would refuse; it is written as
    ///   it is all the same.
    package func pack() -> (bytes: [UInt8], failure: MessageError?) {
        let arena = MessageArena(byteLimit: .max)
        // What the structures point to lives in the arena.
        defer { withExtendedLifetime(arena) {} }
        let transfer = Transfer(.writing(arena))
        let structure = arena.place(Self.kind)
        var message = self
        message.exchange(MessageFields(structure, transfer))
        return (structure.packed(), transfer.failure)
    }
}
