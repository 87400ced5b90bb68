// SPDX-License-Identifier: Apache-2.0
public import Linux

import Glibc

/// The host's end of the cable, for one device alone: a tap interface or a socket.
public final class Tap: Sendable {
    let file: FileDescriptor
    /// Whether there is an interface to set.
    private let isInterface: Bool
    /// What the kernel can leave to the driver.
    let offloads: TapInterface.Offloads

    /// A tap interface, set up by the process that hands it over: IFF_TAP, IFF_NO_PI, IFF_VNET_HDR.
    public init(_ file: consuming FileDescriptor) throws(NetError) {
        let flags: TapInterface.Flags
        do { flags = try TapInterface.flags(of: file.borrowed) } catch { throw .notATap(error) }
        guard flags.isSuperset(of: [.tap, .noProtocol, .virtioHeader]) else { throw .flags(flags.rawValue) }
        do { try file.setNonBlocking(true) } catch { throw .tap(operation: "fcntl", error) }
        do {
            try TapInterface.setHeader(byteCount: Int32(NetLimit.header), of: file.borrowed)
        } catch { throw .tap(operation: "TUNSETVNETHDRSZ", error) }
        offloads = Self.knownOffloads(file.borrowed)
        do {
            try TapInterface.set([], of: file.borrowed)
        } catch { throw .tap(operation: "TUNSETOFFLOAD", error) }
        self.file = file
        isInterface = true
    }

    /// A connected unix datagram socket, one frame a message with its virtio header in front. Its peer gets frames
    /// as the guest makes them, checksums and segments left undone where their headers say so.
    public init(packetSocket file: consuming FileDescriptor) throws(NetError) {
        do {
            try Self.checkDatagrams(file.borrowed)
            try file.setNonBlocking(true)
        } catch { throw .tap(operation: "getsockopt", error) }
        offloads = []
        self.file = file
        isInterface = false
    }

    /// Lets the kernel leave `offloads` to the driver, and nothing else.
    func set(_ offloads: TapInterface.Offloads) throws(Errno) {
        if isInterface { try TapInterface.set(offloads, of: file.borrowed) }
    }

    private static func checkDatagrams(_ file: BorrowedDescriptor) throws(Errno) {
        var (type, count): (Int32, UInt32) = (0, 4)
        // getsockopt(2) fills an integer and keeps nothing.
        let result = unsafe getsockopt(file.rawValue, SOL_SOCKET, SO_TYPE, &type, &count)
        guard result == 0 else { throw .notSupported }
        guard type == Int32(SOCK_DGRAM.rawValue) else { throw .invalidArgument }
    }

    private static func knownOffloads(_ file: BorrowedDescriptor) -> TapInterface.Offloads {
        let least = NetFeature.offloadsOfAnyTap
        for offloads in [least.union([.udp4, .udp6]), least] {
            if (try? TapInterface.set(offloads, of: file)) != nil { return offloads }
        }
        return []
    }
}
