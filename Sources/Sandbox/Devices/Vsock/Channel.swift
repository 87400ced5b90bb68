// SPDX-License-Identifier: Apache-2.0
internal import GuestMemory
internal import Linux

/// A connection with what it holds on the host.
final class Channel {
    let token: UInt64
    var connection: Connection
    var stream: (any HostStream)?
    /// Bytes of the guest that the stream was too full for.
    var backlog = Backlog()
    /// What the stream last said of itself; it is asked again only after it said so.
    var isReadable = false
    var isWritable = true
    /// Whether the end of what the host sends is in sight, and whether the host has gone altogether.
    var isEnding = false
    var isHungUp = false
    /// Whether it stands in the queue of those with something for the guest.
    var isQueued = false
    /// Forgotten by the guest: only the backlog is left to hand on.
    var isDetached = false
    /// When to look at it again, whatever happens, and when the dialing ends.
    var deadline: Duration?
    var dialEnds = Duration.zero

    init(token: UInt64, connection: Connection, stream: (any HostStream)?) {
        self.token = token
        self.connection = connection
        self.stream = stream
    }

    var hasSomethingForGuest: Bool {
        connection.hasControl || (isReadable && connection.takesHostData)
    }

    /// Hands `payload` on, or keeps what the stream has no room for.
    func forward(_ payload: [GuestSlice], byteCount: Int) {
        guard !connection.hostEnded.contains(.receiving) else {
            connection.forward(byteCount)
            return
        }
        var taken = 0
        if backlog.isEmpty, isWritable, let stream {
            do {
                taken = try stream.send(payload)
            } catch {
                guard error == .wouldBlock else {
                    hostStoppedReceiving()
                    connection.forward(byteCount)
                    return
                }
            }
            connection.forward(taken)
            if taken == byteCount { return }
            isWritable = false
        }
        backlog.append(payload.part(from: taken, byteCount: byteCount - taken))
    }

    /// Hands on what was kept, and the end of the stream once all has gone.
    func flush() {
        while isWritable, !backlog.isEmpty, let stream {
            do {
                let taken = try stream.send(backlog.front)
                if taken < backlog.front.count { isWritable = false }
                backlog.dropFirst(taken)
                connection.forward(taken)
            } catch  where error == .wouldBlock {
                isWritable = false
            } catch {
                connection.forward(backlog.count)
                hostStoppedReceiving()
            }
        }
        if backlog.isEmpty, connection.guestEnded.contains(.sending) { stream?.endSending() }
    }

    private func hostStoppedReceiving() {
        backlog.removeAll()
        connection.hostEnds(.receiving)
    }
}

/// Bytes in order; memory is held only while there are any.
struct Backlog {
    private var bytes: [UInt8] = []
    private var start = 0

    var isEmpty: Bool { start == bytes.count }
    var count: Int { bytes.count - start }
    var front: ArraySlice<UInt8> { bytes[start...] }

    mutating func append(_ slices: [GuestSlice]) {
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        // The bytes are copied once, whatever the guest does to them meanwhile.
        for slice in slices { unsafe slice.withBytes { unsafe bytes.append(contentsOf: UnsafeRawBufferPointer($0)) } }
    }

    mutating func dropFirst(_ count: Int) {
        start += count
        if isEmpty { removeAll() }
    }

    mutating func removeAll() {
        bytes = []
        start = 0
    }
}
