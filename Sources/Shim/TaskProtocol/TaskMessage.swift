// SPDX-License-Identifier: Apache-2.0
public import Protobuf

/// What messages of the task protocol consist of. All fields have protobuf's defaults until set.
public protocol TaskPart: Hashable, Sendable {
    init()
}

/// A message of the task protocol that is sent by itself. Fields that are not known here are left out when it is read.
public protocol TaskMessage: TaskPart {
    /// Reads bytes of a peer that may be hostile.
    init(decoding bytes: [UInt8]) throws(MessageError)

    /// The message's bytes. Texts with a NUL are written as they are: their reader refuses them.
    func encoded() -> [UInt8]
}

extension TaskPart {
    /// A message with the fields that `fill` sets.
    public static func with(_ fill: (inout Self) -> Void) -> Self {
        var message = Self()
        fill(&message)
        return message
    }
}

/// What a message may hold.
public enum TaskMessageLimit {
    /// The most bytes one message may have: as ttrpc, which puts one in a frame.
    public static let byteCount = 4 << 20
    /// The most entries of one list: mounts, options of a mount, annotations, processes.
    public static let entries = 65536
}

/// A part of messages, as it is packed and unpacked.
protocol PackedTaskPart: TaskPart, PackedMessage {}

/// A message, as it is packed and unpacked.
protocol PackedTaskMessage: PackedTaskPart, TaskMessage, RootMessage {}

extension PackedTaskPart {
    package static var blank: Self { Self() }
}

extension PackedTaskMessage {
    package static var bounds: MessageBounds {
        MessageBounds(
            byteCount: TaskMessageLimit.byteCount, memoryByteCount: 4 * TaskMessageLimit.byteCount,
            entryCount: TaskMessageLimit.entries, isCanonical: false)
    }

    /// Reads bytes of a peer that may be hostile.
    public init(decoding bytes: [UInt8]) throws(MessageError) {
        self = try Self(unpacking: bytes)
    }

    /// The message's bytes.
    public func encoded() -> [UInt8] { pack().bytes }
}
