// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Synchronization
import TestSupport
import Testing
import Virtio
import Vsock
import VsockDriver

/// A device with its unix sockets in a directory of its own, and a guest on it.
final class HostSide {
    private let scratch = Scratch()
    var path: String { scratch.path }
    let device: VsockDevice
    private let served: ServedLoop
    let guest: GuestSockets
    let failures = Failures()

    init(limits: VsockLimits = VsockLimits(), fillsBuffers: Bool = true, starts: Bool = true) throws {
        let path = scratch.path
        served = try ServedLoop(directory: path)
        device = try VsockDevice(
            guestCID: VsockDriver.guestCID, listener: try UnixSocket.listen(at: path + "/listen"), limits: limits,
            loop: served.loop)
        guest = GuestSockets(driver: try VsockDriver(fillsBuffers: fillsBuffers))
        if starts { try activate(guest) }
    }

    /// The driver of `guest` is ready.
    func activate(_ guest: GuestSockets) throws {
        try device.activate(try guest.driver.activation(failed: { [failures] in failures.note($0) }))
    }

    deinit { device.reset() }

    /// A host peer that asked for `port`.
    func client(port: UInt32) throws -> HostSocket {
        let connection = try UnixSocket.connect(to: path + "/listen")
        try connection.setNonBlocking(true)
        let socket = HostSocket(connection)
        try #require(try socket.write(Array("CONNECT \(port)\n".utf8)[...]) > 0)
        return socket
    }

    func listen(port: UInt32, backlog: Int = 128) throws -> FileDescriptor {
        try UnixSocket.listen(at: "\(path)/vsock_\(port)", backlog: backlog, nonBlocking: true)
    }

    func accept(_ listener: borrowing FileDescriptor) throws -> HostSocket? {
        do throws(Errno) {
            return HostSocket(try UnixSocket.accept(listener.borrowed, nonBlocking: true))
        } catch  where error == .wouldBlock {
            return nil
        }
    }

    /// A connection of the guest to `port`, and its end on the host.
    func connected(port: UInt32 = 1024) throws -> (GuestSocket, HostSocket) {
        let listener = try listen(port: port)
        let socket = try guest.connect(to: port)
        var peer: HostSocket?
        #expect(
            try guest.run {
                if peer == nil { peer = try accept(listener) }
                return socket.isConnected && peer != nil
            })
        return (socket, try #require(peer))
    }
}

/// What the device reported.
final class Failures: Sendable {
    private let list = Mutex<[VirtioError]>([])

    func note(_ error: VirtioError) { list.withLock { $0.append(error) } }

    var all: [VirtioError] { list.withLock { $0 } }
}

/// The host's end of a connection, never waiting.
final class HostSocket {
    let descriptor: FileDescriptor
    private(set) var received: [UInt8] = []
    private(set) var isEnded = false
    private(set) var failure: Errno?

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    func write(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let count = unsafe bytes.withUnsafeBytes {
            cl_syscall(
                Int(__NR_sendto), descriptor.borrowed.argument, Int(bitPattern: $0.baseAddress), $0.count,
                Int(MSG_NOSIGNAL), 0, 0)
        }
        if count == -Int(EAGAIN) { return 0 }
        if count < 0 { throw Errno(rawValue: Int32(-count)) }
        return count
    }

    /// Takes what is there, handing it to `sink` or keeping it.
    func read(limit: Int = 262144, _ sink: (([UInt8]) -> Void)? = nil) {
        do {
            let bytes = try descriptor.read(upTo: limit)
            if bytes.isEmpty { isEnded = true }
            if let sink { sink(bytes) } else { received += bytes }
        } catch {
            if error != .wouldBlock {
                failure = error
                isEnded = true
            }
        }
    }

    var text: String { String(decoding: received, as: UTF8.self) }
}

/// Bytes in which every place can be told from every other near it.
struct Pattern {
    private let block: [UInt8]
    private static let period = 65521

    init(seed: UInt8) {
        var state = UInt32(seed) &+ 1
        var block: [UInt8] = []
        for _ in 0..<(2 * Self.period) {
            state = state &* 1_664_525 &+ 1_013_904_223
            block.append(UInt8(truncatingIfNeeded: state >> 24))
        }
        self.block = Array(block.prefix(Self.period)) + block.prefix(Self.period)
    }

    /// At most 65521 bytes from `offset` on.
    func bytes(at offset: Int, limit: Int = Pattern.period) -> ArraySlice<UInt8> {
        let start = offset % Self.period
        return block[start..<(start + min(limit, Self.period))]
    }

    /// Whether `bytes` are what stands at `offset`.
    func matches(_ bytes: [UInt8], at offset: Int) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = min(bytes.count - start, Self.period)
            let expected = self.bytes(at: offset + start, limit: count)
            // Both run for `count` bytes; comparing them one by one takes a debug build seconds.
            let differ = unsafe bytes[start..<(start + count)].withUnsafeBytes { left in
                unsafe expected.withUnsafeBytes { right in
                    unsafe memcmp(left.baseAddress!, right.baseAddress!, count)
                }
            }
            if differ != 0 { return false }
            start += count
        }
        return true
    }
}
