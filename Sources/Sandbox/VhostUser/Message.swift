// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux

/// The wire format of vhost-user, QEMU docs/interop/vhost-user.rst: a header of three 32-bit words, then a
/// payload, all in the machine's byte order, which is little-endian on what we build for.
enum Wire {
    static let headerSize = 12
    /// The largest payload of any message known here: a configuration space of 256 bytes and its header.
    static let payloadLimit = 12 + configurationLimit
    /// VHOST_USER_MAX_CONFIG_SIZE.
    static let configurationLimit = 256
    /// Regions in one SET_MEM_TABLE, and so descriptors in one message.
    static let regionLimit = 8
    /// Regions altogether, with ADD_MEM_REG.
    static let memorySlots = 32

    static let version: UInt32 = 1
    static let versionMask: UInt32 = 3
    static let reply: UInt32 = 1 << 2
    static let needReply: UInt32 = 1 << 3

    /// In the payload of SET_VRING_KICK, CALL and ERR: no descriptor comes with the message.
    static let noDescriptor: UInt64 = 1 << 8
}

/// The requests of a front-end that are known here.
public enum VhostUserRequest: UInt32, Sendable {
    case getFeatures = 1
    case setFeatures = 2
    case setOwner = 3
    case resetOwner = 4
    case setMemoryTable = 5
    case setLogBase = 6
    case setLogFile = 7
    case setRingSize = 8
    case setRingAddress = 9
    case setRingBase = 10
    case getRingBase = 11
    case setRingKick = 12
    case setRingCall = 13
    case setRingError = 14
    case getProtocolFeatures = 15
    case setProtocolFeatures = 16
    case getQueueCount = 17
    case setRingEnable = 18
    case getConfiguration = 24
    case setConfiguration = 25
    case resetDevice = 34
    case getMemorySlots = 36
    case addMemoryRegion = 37
    case removeMemoryRegion = 38
}

/// VHOST_USER_PROTOCOL_F_*, as bits.
public struct ProtocolFeatures: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt64
    /// From a message.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// VHOST_USER_PROTOCOL_F_MQ: GET_QUEUE_NUM.
    public static let multipleQueues = ProtocolFeatures(rawValue: 1 << 0)
    /// VHOST_USER_PROTOCOL_F_REPLY_ACK: an answer to any message that asks for one.
    public static let replyAcknowledge = ProtocolFeatures(rawValue: 1 << 3)
    /// VHOST_USER_PROTOCOL_F_CONFIG: GET_CONFIG and SET_CONFIG.
    public static let configuration = ProtocolFeatures(rawValue: 1 << 9)
    /// VHOST_USER_PROTOCOL_F_RESET_DEVICE.
    public static let resetDevice = ProtocolFeatures(rawValue: 1 << 13)
    /// VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS.
    public static let memorySlots = ProtocolFeatures(rawValue: 1 << 15)
}

/// The feature bits that vhost-user adds to a device's own.
public enum VhostUserFeature {
    /// VHOST_USER_F_PROTOCOL_FEATURES.
    public static let protocolFeatures: UInt64 = 1 << 30
}

/// A region of guest memory on the wire: where the guest, and where the front-end, has it.
struct RegionMessage: Equatable {
    static let size = 32

    var start: GuestAddress
    var byteCount: UInt64
    var frontEndStart: UInt64
    var fileOffset: UInt64

    func piece(in file: BorrowedDescriptor) -> GuestMemory.Piece {
        GuestMemory.Piece(
            start: start, byteCount: byteCount, file: file, offset: fileOffset, frontEndStart: frontEndStart)
    }
}

/// Where a ring lies, in the front-end's own addresses.
struct RingAddressMessage: Equatable {
    static let size = 40
    /// VHOST_VRING_F_LOG.
    static let log: UInt32 = 1

    var index: UInt32
    var flags: UInt32
    var descriptors: UInt64
    var used: UInt64
    var available: UInt64
    var log: UInt64
}
