// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import CLinux
import Glibc
import GuestMemory
import Linux
import Net
import TestSupport
import Virtio

/// A driver of one network device.
final class NetDriver {
    let device: NetDevice
    let served: ServedLoop
    let memory: MockMemory
    let features: UInt64
    private(set) var receive: MockQueue
    private(set) var transmit: MockQueue
    private let configurationChanged: @Sendable () -> Void
    private let failed: @Sendable (VirtioError) -> Void

    static let all = ~UInt64(0)
    static let address: [UInt8] = [0x02, 0xfc, 0, 0, 0, 1]

    init(
        _ tap: Tap?, mtu: Int? = nil, receive receiveLimits: RateLimits = .unlimited,
        transmit transmitLimits: RateLimits = .unlimited, features wanted: UInt64 = NetDriver.all,
        queueSize: UInt16 = 256, onLinkLost: @escaping @Sendable (Errno) -> Void = { _ in },
        configurationChanged: @escaping @Sendable () -> Void = {},
        failed: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws {
        served = try ServedLoop()
        device = try NetDevice(
            tap: tap, address: Self.address, mtu: mtu, receive: receiveLimits, transmit: transmitLimits,
            loop: served.loop, onLinkLost: onLinkLost)
        features = wanted & (device.features | MockDriver.usualFeatures)
        memory = try MockMemory(byteCount: 64 << 20)
        receive = try MockQueue(memory, size: queueSize, features: features)
        transmit = try MockQueue(memory, size: queueSize, features: features)
        self.configurationChanged = configurationChanged
        self.failed = failed
        try activate()
    }

    /// The driver begins, or goes on where it was before the device's reset.
    func activate() throws {
        try device.activate(
            VirtioActivation(
                memory: memory.guest, features: features,
                queues: [
                    // What a reset device took, and did not use, it has given back.
                    receive.deviceQueue(nextAvailable: receive.used.loadAcquire(at: 2)),
                    transmit.deviceQueue(nextAvailable: transmit.used.loadAcquire(at: 2)),
                ],
                configurationChanged: configurationChanged, failed: failed))
    }

    deinit {
        device.reset()
        _ = served.end()
    }

    /// Buffers for frames, told of.
    func post(_ count: Int, _ room: Int...) throws {
        for _ in 0..<count { try receive.add(writable: room) }
        try receive.notify()
    }

    /// One frame and its header, however many buffers it came in.
    func nextFrame(milliseconds: Int32 = 5000) throws -> (header: [UInt8], frame: [UInt8]) {
        var bytes = try receive.waitUsed(milliseconds: milliseconds).bytes
        let count = Int(bytes[10]) | Int(bytes[11]) << 8
        // The others are there with the first, virtio 1.2 §5.1.6.4.
        for _ in 1..<max(1, count) {
            guard let used = try receive.takeUsed() else { throw Missing() }
            bytes += used.bytes
        }
        return (Array(bytes.prefix(12)), Array(bytes.dropFirst(12)))
    }

    struct Missing: Error {}

    /// Sends a frame, and waits until the device has taken it.
    func send(_ frame: [UInt8], header: [UInt8] = [UInt8](repeating: 0, count: 12)) throws {
        try transmit.add(readable: [header, frame])
        try transmit.notify()
        _ = try transmit.waitUsed()
    }

    func metric(_ name: String) -> UInt64 { device.metrics.first { $0.name == name }?.value ?? .max }

    static func bits(_ numbers: UInt64...) -> UInt64 { numbers.reduce(0) { $0 | 1 << $1 } }

    /// Waits for what another thread does.
    static func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            SystemTime.sleep(milliseconds: 10)
        }
        return false
    }
}

/// The other end of the cable: a socket whose messages are frames, with the header of 12 bytes.
final class Peer {
    let tap: Tap
    let socket: FileDescriptor

    init() throws {
        let pair = try UnixSocket.pair(type: .datagram)
        socket = try pair.first.duplicate()
        tap = try Tap(packetSocket: try pair.second.duplicate())
        try socket.setNonBlocking(true)
    }

    static func frame(_ count: Int, from first: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: Int(first) &+ $0 &* 3 &+ $0 / 251) }
    }

    func send(_ frame: [UInt8], header: [UInt8] = [UInt8](repeating: 0, count: 12)) throws {
        let bytes = header + frame
        let count = try socket.write(bytes, 0..<bytes.count)
        guard count == bytes.count else { throw Errno.messageTooLong }
    }

    /// A frame and its header.
    func receive(milliseconds: Int32 = 5000) throws -> (header: [UInt8], frame: [UInt8]) {
        let events = try Poll.wait(
            socket.borrowed, .readable, until: Deadline(after: .milliseconds(milliseconds)))
        guard !events.isEmpty else { throw Errno.timedOut }
        var bytes = [UInt8](repeating: 0, count: 70000)
        let count = try socket.read(into: &bytes)
        return (Array(bytes.prefix(min(12, count))), Array(bytes[min(12, count)..<count]))
    }
}
