// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TestSupport
import Vsock
import VsockDriver

/// The vsock device alone, between a driver and a unix socket: throughput each way, and the round trip of a byte.
/// One JSON object a line, medians.
enum VsockBench {
    static let rounds = 5
    static let megabytes = 512
    static let pings = 20_000

    static func main() {
        do {
            print(line("vsock throughput to the host", median(try samples(toHost)), "MB/s"))
            print(line("vsock throughput to the guest", median(try samples(toGuest)), "MB/s"))
            print(line("vsock round trip", median(try samples(roundTrip)), "us"))
        } catch {
            print("vsock-bench: \(error)")
            exit(1)
        }
    }

    static func line(_ name: String, _ value: Double, _ unit: String) -> String {
        "{\"name\":\"\(name)\",\"value\":\((value * 10).rounded() / 10),\"unit\":\"\(unit)\"}"
    }

    static func median(_ samples: [Double]) -> Double { samples.sorted()[samples.count / 2] }

    static func samples(_ body: (Setup) throws -> Double) throws -> [Double] {
        try (0..<rounds).map { _ in try body(try Setup()) }
    }

    static func seconds(since start: ContinuousClock.Instant) -> Double {
        let (seconds, attoseconds) = start.duration(to: .now).components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    static func toHost(_ setup: Setup) throws -> Double {
        let total = megabytes << 20
        let payload = [UInt8](repeating: 7, count: VsockDriver.payloadLimit)
        let peer = setup.peer
        let reader = try Thread(named: "reader") {
            var count = 0
            while count < total, let more = try? peer.read(), more > 0 { count += more }
        }
        let start = ContinuousClock.now
        var sent = 0
        while sent < total {
            let count = try setup.socket.write(payload.prefix(total - sent))
            sent += count
            try setup.guest.process(milliseconds: count == 0 ? 100 : 0)
        }
        reader.join()
        return Double(megabytes) * 1.048576 / seconds(since: start)
    }

    static func toGuest(_ setup: Setup) throws -> Double {
        let total = megabytes << 20
        let peer = setup.peer
        let writer = try Thread(named: "writer") {
            var count = 0
            while count < total, let more = try? peer.write(limit: total - count) { count += more }
        }
        setup.socket.sink = { _ in }
        let start = ContinuousClock.now
        while Int(setup.socket.receivedCount) < total { try setup.guest.process(milliseconds: 100) }
        let time = seconds(since: start)
        writer.join()
        return Double(megabytes) * 1.048576 / time
    }

    static func roundTrip(_ setup: Setup) throws -> Double {
        let peer = setup.peer
        let echo = try Thread(named: "echo") {
            while let count = try? peer.read(), count > 0 { _ = try? peer.write(limit: count) }
        }
        let start = ContinuousClock.now
        for ping in 1...UInt32(pings) {
            _ = try setup.socket.write([1])
            while setup.socket.receivedCount < ping { try setup.guest.process(milliseconds: 100) }
        }
        let time = seconds(since: start)
        try setup.socket.shutdown(.both)
        while !setup.socket.isReset { try setup.guest.process(milliseconds: 100) }
        echo.join()
        return time * 1e6 / Double(pings)
    }
}

/// A device with one connection.
final class Setup {
    let device: VsockDevice
    private let served: ServedLoop
    let guest: GuestSockets
    let socket: GuestSocket
    let peer: Peer

    init() throws {
        let path = "/tmp/vsock-bench-\(getpid())"
        unsafe mkdir(path, 0o700)
        defer {
            for name in ["listen", "vsock_1024"] { unsafe unlink("\(path)/\(name)") }
            unsafe rmdir(path)
        }
        let listener = try UnixSocket.listen(at: path + "/vsock_1024")
        served = try ServedLoop(directory: path)
        device = try VsockDevice(
            guestCID: VsockDriver.guestCID, listener: try UnixSocket.listen(at: path + "/listen"), loop: served.loop)
        guest = GuestSockets(driver: try VsockDriver())
        try device.activate(
            try guest.driver.activation(failed: { print("vsock-bench: device: \($0)") }))
        socket = try guest.connect(to: 1024)
        while !socket.isConnected { try guest.process(milliseconds: 100) }
        peer = Peer(try UnixSocket.accept(listener.borrowed))
    }

    deinit { device.reset() }
}

/// The host's end, which waits.
@safe final class Peer: @unchecked Sendable {
    // @unchecked: used by one thread at a time.
    private let descriptor: FileDescriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 262144, alignment: 4096)

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    deinit { unsafe buffer.deallocate() }

    func read() throws(Errno) -> Int { try unsafe descriptor.read(into: buffer) }

    func write(limit: Int) throws(Errno) -> Int {
        // Within the buffer, whose bytes never matter.
        try unsafe descriptor.write(UnsafeRawBufferPointer(rebasing: buffer[..<min(limit, buffer.count)]))
    }
}
