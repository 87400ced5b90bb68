// SPDX-License-Identifier: Apache-2.0
import Virtio
public import Linux
import Synchronization

/// The bytes a serial port sent, in a ring of fixed size, for one reader.
///
/// The writer never waits: what finds the ring full is dropped and counted. It wakes the reader only where that one
/// asked for it with ``arm()``, so a reader that comes back at its own pace costs a guest that floods its console no
/// more than that pace.
@safe public final class SerialOutput: @unchecked Sendable {
    // @unchecked: a byte of the ring is the writer's or the reader's, as `written` and `taken` say.

    /// Readable when there are bytes, after ``arm()``. ``take()`` resets it.
    public let ready: EventFD
    private let bytes: UnsafeMutablePointer<UInt8>
    private let byteCount: UInt64
    /// Positions count on for ever; in the ring they are taken modulo its size.
    private let written = Atomic<UInt64>(0)
    private let taken = Atomic<UInt64>(0)
    private let isArmed = Atomic(true)
    private let dropped = Counter()

    init(byteCount: Int) throws(Errno) {
        guard byteCount > 0, byteCount & (byteCount - 1) == 0 else { throw .invalidArgument }
        ready = try EventFD()
        self.byteCount = UInt64(byteCount)
        // This object's until deinit.
        unsafe bytes = .allocate(capacity: byteCount)
        unsafe bytes.initialize(repeating: 0, count: byteCount)
    }

    // Nobody else has the address.
    deinit { unsafe bytes.deallocate() }

    /// Adds a byte. One thread at a time.
    func put(_ byte: UInt8) {
        let position = written.load(ordering: .relaxed)
        guard position &- taken.load(ordering: .acquiring) < byteCount else { return dropped.add() }
        // Below byteCount; the reader is done with what stood there.
        unsafe bytes[Int(position & (byteCount &- 1))] = byte
        // In one order with isArmed, as in arm(): either the reader sees the byte, or the flag is seen here.
        written.store(position &+ 1, ordering: .sequentiallyConsistent)
        if isArmed.load(ordering: .sequentiallyConsistent),
            isArmed.exchange(false, ordering: .acquiringAndReleasing)
        {
            ready.signal()
        }
    }

    /// All there is. The reader's.
    public func take() -> [UInt8] {
        ready.drain()
        let start = taken.load(ordering: .relaxed)
        let count = Int(written.load(ordering: .acquiring) &- start)
        if count == 0 { return [] }
        let first = Int(start & (byteCount &- 1))
        let untilWrap = min(count, Int(byteCount) - first)
        // Both parts lie in the ring and were published by the writer.
        var result = unsafe [UInt8](UnsafeBufferPointer(start: bytes + first, count: untilWrap))
        unsafe result.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count - untilWrap))
        taken.store(start &+ UInt64(count), ordering: .releasing)
        return result
    }

    /// Asks for ``ready`` to be signalled at the next byte. The reader's.
    ///
    /// - Returns: false where there are bytes already: then ``take()`` them.
    public func arm() -> Bool {
        isArmed.store(true, ordering: .sequentiallyConsistent)
        return written.load(ordering: .sequentiallyConsistent) == taken.load(ordering: .relaxed)
    }

    /// Bytes that went into the ring, and those that found it full, since the beginning.
    public var writtenCount: UInt64 { written.load(ordering: .relaxed) }
    /// Bytes that found the ring full.
    public var droppedCount: UInt64 { dropped.count }
}
