// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Net
import Synchronization
import TestSupport

/// A network namespace of its own with nothing in it but a tap interface, and a socket that sees its frames.
final class TapNetwork {
    /// The tap's descriptor.
    let file: FileDescriptor
    let name: String
    private let packets: FileDescriptor
    private let routes: FileDescriptor
    private let index: Int32

    /// Why there is none here, or nil.
    static let obstacle: String? = {
        do {
            _ = try TapNetwork()
            return nil
        } catch { return "no tap in a network namespace: \(error)" }
    }()

    static var isAvailable: Bool { obstacle == nil }

    private struct Made: Sendable {
        var file: Int32 = -1
        var name = ""
        var packets: Int32 = -1
        var routes: Int32 = -1
    }

    private final class Box: Sendable {
        let result = Mutex<Result<Made, Errno>>(.failure(.noSuchProcess))
    }

    init(_ flags: TapInterface.Flags = [.tap, .noProtocol, .virtioHeader]) throws {
        let box = Box()
        // A thread leaves the namespace of the others for good; what it opened stays in its own.
        let thread = try Thread(named: "namespace") {
            let result: Result<Made, Errno>
            do throws(Errno) { result = .success(try TapNetwork.make(flags)) } catch { result = .failure(error) }
            box.result.withLock { $0 = result }
        }
        thread.join()
        let made = try box.result.withLock { $0 }.get()
        file = FileDescriptor(owning: made.file)
        packets = FileDescriptor(owning: made.packets)
        routes = FileDescriptor(owning: made.routes)
        name = made.name
        var request = Self.request(made.name)
        try Self.control(packets.rawValue, 0x8933, &request)  // SIOCGIFINDEX
        index = Int32(request[16]) | Int32(request[17]) << 8 | Int32(request[18]) << 16
        try setUp(true)
        try bind()
    }

    private static func make(_ flags: TapInterface.Flags) throws(Errno) -> Made {
        try syscall(__NR_unshare, Int(CL_CLONE_NEWNET))
        // Or the kernel sends frames of its own as soon as the interface is up.
        try? FileDescriptor.open("/proc/sys/net/ipv6/conf/default/disable_ipv6", [.writeOnly]).writeAll([0x31])
        var made = Made()
        let (file, name) = try TapInterface.attach(named: "tap%d", flags)
        (made.file, made.name) = (file.rawValue, name)
        // Every protocol, in the order of the network.
        made.packets = Int32(
            try syscall(__NR_socket, Int(AF_PACKET), 3 | CL_SOCK_CLOEXEC | CL_SOCK_NONBLOCK, 0x0300))
        made.routes = Int32(try syscall(__NR_socket, Int(AF_NETLINK), 3 | CL_SOCK_CLOEXEC, 0))
        return made
    }

    /// The device's end. Once.
    func tap() throws -> Tap { try Tap(try file.duplicate()) }

    func setUp(_ isUp: Bool) throws {
        var request = Self.request(name)
        request[16] = isUp ? 1 : 0  // IFF_UP
        try Self.control(packets.rawValue, 0x8914, &request)  // SIOCSIFFLAGS
        // The socket keeps in mind that its interface went down: SO_ERROR forgets it.
        var (error, count): (Int32, UInt32) = (0, 4)
        _ = unsafe getsockopt(packets.rawValue, SOL_SOCKET, SO_ERROR, &error, &count)
    }

    /// Deletes the interface under whoever has its descriptor, RTM_DELLINK.
    func vanish() throws {
        let message: [UInt32] = [32, 17 | 5 << 16, 1, 0, 0, UInt32(index), 0, 0]
        let bytes = message.flatMap { Little.bytes($0) }
        _ = try routes.write(bytes, 0..<bytes.count)
        var answer = [UInt8](repeating: 0, count: 1024)
        let count = try routes.read(into: &answer)
        // NLMSG_ERROR, and which.
        guard count >= 20, answer[16...19].allSatisfy({ $0 == 0 }) else { throw Errno.inputOutput }
    }

    /// Sends a frame into the interface, so that it comes out of the tap; `header` has ten bytes.
    func send(_ frame: [UInt8], header: [UInt8] = [UInt8](repeating: 0, count: 10)) throws {
        let bytes = header + frame
        guard try packets.write(bytes, 0..<bytes.count) == bytes.count else { throw Errno.messageTooLong }
    }

    /// The next frame that came in by the tap, with its header of ten bytes.
    func receive(milliseconds: Int32 = 5000) throws -> (header: [UInt8], frame: [UInt8]) {
        let events = try Poll.wait(
            packets.borrowed, .readable, until: Deadline(after: .milliseconds(milliseconds)))
        guard !events.isEmpty else { throw Errno.timedOut }
        var bytes = [UInt8](repeating: 0, count: 70000)
        let count = try packets.read(into: &bytes)
        return (Array(bytes.prefix(10)), Array(bytes[10..<count]))
    }

    private func bind() throws {
        // PACKET_VNET_HDR: each message begins with a virtio header.
        var one: Int32 = 1
        guard unsafe setsockopt(packets.rawValue, 263, 15, &one, 4) == 0 else { throw Errno(rawValue: errno) }
        // struct sockaddr_ll.
        var address: [UInt8] = [17, 0, 0, 3] + Little.bytes(UInt32(index)) + [UInt8](repeating: 0, count: 12)
        let number = packets.borrowed.argument
        let result = unsafe address.withUnsafeMutableBytes {
            unsafe cl_syscall(Int(__NR_bind), number, $0.argument, 20, 0, 0, 0)
        }
        guard result == 0 else { throw Errno(rawValue: Int32(-result)) }
    }

    /// struct ifreq.
    private static func request(_ name: String) -> [UInt8] {
        let bytes = Array(name.utf8)
        return bytes + [UInt8](repeating: 0, count: 40 - bytes.count)
    }

    private static func control(_ socket: Int32, _ operation: Int, _ request: inout [UInt8]) throws {
        let result = unsafe request.withUnsafeMutableBytes {
            unsafe cl_syscall(Int(__NR_ioctl), Int(socket), operation, $0.argument, 0, 0, 0)
        }
        guard result == 0 else { throw Errno(rawValue: Int32(-result)) }
    }
}

enum Little {
    static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

/// Frames that the kernel understands.
enum TestFrame {
    /// TCP over IPv4 with `payload` bytes, checksums left to be made.
    static func tcp(payload: Int) -> [UInt8] {
        let length = 40 + payload
        var frame: [UInt8] = NetDriver.address + [0x02, 0xfc, 0, 0, 0, 2, 0x08, 0x00]
        frame += [0x45, 0, UInt8(length >> 8), UInt8(length & 0xff), 0, 1, 0x40, 0, 64, 6, 0, 0]
        frame += [10, 0, 0, 1, 10, 0, 0, 2]
        frame += [0x10, 0, 0x20, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0]
        return frame + (0..<payload).map { UInt8(truncatingIfNeeded: $0 &* 5) }
    }

    /// NEEDS_CSUM, TCPV4, hdr_len, gso_size, csum_start, csum_offset.
    static let segmented: [UInt8] = [1, 1, 54, 0, 0xa8, 0x05, 34, 0, 16, 0]
    static let segmentSize = 0x5a8

    /// Of a type that nobody speaks.
    static func other(_ count: Int, from first: UInt8 = 1) -> [UInt8] {
        NetDriver.address + [0x02, 0xfc, 0, 0, 0, 2, 0x88, 0xb5] + Peer.frame(count - 14, from: first)
    }
}
