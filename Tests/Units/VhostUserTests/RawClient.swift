// SPDX-License-Identifier: Apache-2.0
import Linux
import TestSupport
import VhostUser
import Virtio

/// A front-end that sends whatever it likes, on a back-end that serves `device`.
final class RawClient {
    let backend: ServedBackend
    private var socket: FileDescriptor?

    init(_ device: any VirtioDevice) throws {
        let (backend, connection) = try ServedBackend.start(device)
        self.backend = backend
        socket = FileDescriptor(owning: connection)
    }

    struct NotConnected: Error {}

    /// What is in a message, in the order of the wire.
    static func words(_ values: UInt32...) -> [UInt8] { values.flatMap(bytes) }
    static func longs(_ values: UInt64...) -> [UInt8] { values.flatMap(bytes) }

    private static func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value(8 * $0)) }
    }

    func send(raw bytes: [UInt8], _ descriptors: [BorrowedDescriptor] = []) throws {
        guard let socket = socket.borrowed else { throw NotConnected() }
        _ = try unsafe bytes.withUnsafeBytes { try unsafe DescriptorPassing.send($0, descriptors, on: socket) }
    }

    func send(
        _ request: UInt32, flags: UInt32 = 1, _ payload: [UInt8] = [], _ descriptors: [BorrowedDescriptor] = []
    ) throws {
        try send(raw: RawClient.words(request, flags, UInt32(payload.count)) + payload, descriptors)
    }

    /// The next message, request, flags and payload; nil where the back-end has hung up.
    func receive() throws -> (request: UInt32, flags: UInt32, payload: [UInt8])? {
        guard let header = read(12) else { return nil }
        func word(_ index: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(header[4 * index + $1]) << UInt32(8 * $1) }
        }
        return (word(0), word(1), read(Int(word(2))) ?? [])
    }

    private func read(_ byteCount: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < byteCount {
            // A back-end that hangs up with bytes unread resets the connection.
            guard let part = try? socket?.read(upTo: byteCount - bytes.count), !part.isEmpty else { return nil }
            bytes += part
        }
        return bytes
    }

    /// Agrees on every protocol feature there is, so that a bad request is answered rather than the end.
    func acknowledge() throws {
        try send(15)
        guard let offered = try receive() else { throw NotConnected() }
        try send(16, offered.payload)
    }

    /// Sends a request that asks for an acknowledgement.
    ///
    /// - Returns: its status; nil where the back-end has hung up instead.
    func command(_ request: UInt32, _ payload: [UInt8] = [], _ descriptors: [BorrowedDescriptor] = []) throws -> UInt8?
    {
        try send(request, flags: 1 | 8, payload, descriptors)
        return try receive()?.payload.first
    }

    /// Closes the socket and waits for the back-end to be done.
    func end() -> VhostUserError? {
        socket = nil
        return backend.wait()
    }
}

extension Optional where Wrapped == FileDescriptor {
    /// Borrows.
    var borrowed: BorrowedDescriptor? {
        switch self {
        case .some(let descriptor): descriptor.borrowed
        case .none: nil
        }
    }
}
