// SPDX-License-Identifier: Apache-2.0
public import CLinux
import Glibc

/// tun(4): an Ethernet interface whose other side is a descriptor, one frame a read or write.
public enum TapInterface {
    /// IFF_ flags of an interface made by TUNSETIFF.
    public struct Flags: OptionSet, Sendable {
        /// Bits of <linux/if_tun.h>.
        public let rawValue: Int16
        /// Those with these bits.
        public init(rawValue: Int16) { self.rawValue = rawValue }

        /// Ethernet frames, not IP packets.
        public static let tap = Flags(rawValue: 0x0002)
        /// Several descriptors, each a queue.
        public static let multiQueue = Flags(rawValue: 0x0100)
        /// No protocol in front of each frame.
        public static let noProtocol = Flags(rawValue: 0x1000)
        /// A virtio header in front of each frame.
        public static let virtioHeader = Flags(rawValue: 0x4000)
    }

    /// What the reader of frames can do, so that the kernel need not: TUN_F_.
    public struct Offloads: OptionSet, Sendable {
        /// Bits of <linux/if_tun.h>.
        public let rawValue: UInt32
        /// Those with these bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Checksums that are not complete.
        public static let checksum = Offloads(rawValue: 0x01)
        /// Segments of TCP over IPv4 that are to be cut.
        public static let tcp4 = Offloads(rawValue: 0x02)
        /// The same over IPv6.
        public static let tcp6 = Offloads(rawValue: 0x04)
        /// TCP with congestion notification in what is to be cut.
        public static let tcpECN = Offloads(rawValue: 0x08)
        /// Linux 6.2.
        public static let udp4 = Offloads(rawValue: 0x20)
        /// Linux 6.2.
        public static let udp6 = Offloads(rawValue: 0x40)
    }

    private static let nameCount = 16

    /// Makes an interface in the caller's network namespace, or attaches to the persistent one of that name, by
    /// TUNSETIFF. It is gone with the last descriptor, unless it is persistent.
    ///
    /// - Parameter name: at most 15 bytes; with `%d` in it the kernel numbers it.
    /// - Returns: the descriptor, which the caller now owns, and the interface's name.
    public static func attach(
        named name: String, _ flags: Flags = [.tap, .noProtocol, .virtioHeader]
    ) throws(Errno) -> (file: BorrowedDescriptor, name: String) {
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty, bytes.count < nameCount, !bytes.contains(0) else { throw .invalidArgument }
        let file = try FileDescriptor.open("/dev/net/tun", [.readWrite])
        var request = InterfaceRequest()
        request.setName(bytes)
        request.bytes[nameCount] = UInt8(truncatingIfNeeded: flags.rawValue)
        request.bytes[nameCount + 1] = UInt8(truncatingIfNeeded: flags.rawValue >> 8)
        try request.run(0x4004_54ca, on: file.borrowed)
        let actual = String(decoding: request.bytes.prefix(nameCount).prefix { $0 != 0 }, as: UTF8.self)
        return (file.release(), actual)
    }

    /// TUNGETIFF: how the interface behind `file` was made. `EBADFD` for a descriptor without one, `ENOTTY` and others
    /// where the descriptor is of another kind.
    public static func flags(of file: BorrowedDescriptor) throws(Errno) -> Flags {
        var request = InterfaceRequest()
        try request.run(0x8004_54d2, on: file)
        return Flags(
            rawValue: Int16(bitPattern: UInt16(request.bytes[nameCount]) | UInt16(request.bytes[nameCount + 1]) << 8))
    }

    /// TUNSETOFFLOAD. `EINVAL` where the kernel does not know one of them.
    public static func set(_ offloads: Offloads, of file: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_ioctl, file.argument, 0x4004_54d0, Int(offloads.rawValue))
    }

    /// TUNSETVNETHDRSZ: the bytes of the header in front of each frame.
    public static func setHeader(byteCount: Int32, of file: BorrowedDescriptor) throws(Errno) {
        var count = byteCount
        try checked(
            unsafe withUnsafePointer(to: &count) { unsafe answer(__NR_ioctl, file.argument, 0x4004_54d8, $0.argument) })
    }

    /// readv(2): one frame into `vectors`, which must be valid for the call. What it does not fit in is lost.
    ///
    /// - Returns: the bytes of the frame, or -errno.
    public static func read(_ file: BorrowedDescriptor, into vectors: UnsafeBufferPointer<cl_iovec>) -> Int {
        cl_syscall(Int(__NR_readv), file.argument, Int(bitPattern: vectors.baseAddress), vectors.count, 0, 0, 0)
    }

    /// writev(2): one frame from `vectors`, which must be valid for the call.
    ///
    /// - Returns: what was taken, or -errno.
    public static func write(_ file: BorrowedDescriptor, from vectors: UnsafeBufferPointer<cl_iovec>) -> Int {
        cl_syscall(Int(__NR_writev), file.argument, Int(bitPattern: vectors.baseAddress), vectors.count, 0, 0, 0)
    }

    /// struct ifreq: a name, then what the request is about.
    private struct InterfaceRequest {
        var bytes = [UInt8](repeating: 0, count: 40)

        mutating func setName(_ name: [UInt8]) { bytes.replaceSubrange(0..<name.count, with: name) }

        mutating func run(_ operation: Int, on file: BorrowedDescriptor) throws(Errno) {
            try checked(
                unsafe bytes.withUnsafeMutableBytes {
                    unsafe answer(__NR_ioctl, file.argument, operation, $0.argument)
                })
        }
    }
}
