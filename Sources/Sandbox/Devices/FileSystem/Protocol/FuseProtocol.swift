// SPDX-License-Identifier: Apache-2.0
/// Operation codes of the FUSE protocol 7.38, enum fuse_opcode of <linux/fuse.h>. Codes not listed here are
/// answered with ENOSYS, which makes the guest's kernel do without.
enum Opcode: UInt32 {
    case lookup = 1
    case forget = 2
    case getAttributes = 3
    case setAttributes = 4
    case readLink = 5
    case symlink = 6
    case makeNode = 8
    case makeDirectory = 9
    case unlink = 10
    case removeDirectory = 11
    case rename = 12
    case link = 13
    case open = 14
    case read = 15
    case write = 16
    case fileSystemStatus = 17
    case release = 18
    case sync = 20
    case setExtendedAttribute = 21
    case getExtendedAttribute = 22
    case listExtendedAttributes = 23
    case removeExtendedAttribute = 24
    case flush = 25
    case initialize = 26
    case openDirectory = 27
    case readDirectory = 28
    case releaseDirectory = 29
    case syncDirectory = 30
    case access = 34
    case create = 35
    case interrupt = 36
    case destroy = 38
    case control = 39
    case batchForget = 42
    case allocate = 43
    case readDirectoryPlus = 44
    case rename2 = 45
    case seek = 46
    case copyRange = 47
    case syncFileSystem = 50
    case temporaryFile = 51

    /// Whether the operation may wait for a disk, or copies without end.
    var takesLong: Bool {
        switch self {
        case .sync, .syncDirectory, .syncFileSystem, .flush, .allocate, .copyRange, .fileSystemStatus: true
        default: false
        }
    }

    /// Whether the operation changes the tree whatever its arguments are, so that a read-only share
    /// refuses it. Opening is judged by its flags.
    var changesTree: Bool {
        switch self {
        case .setAttributes, .symlink, .makeNode, .makeDirectory, .unlink, .removeDirectory, .rename, .rename2,
            .link, .write, .setExtendedAttribute, .removeExtendedAttribute, .create, .allocate, .copyRange,
            .temporaryFile:
            true
        default: false
        }
    }
}

/// Sizes of the protocol's structures, in bytes.
enum WireSize {
    static let requestHeader = 40
    static let replyHeader = 16
    static let attributes = 88
    static let entry = 40 + attributes
    static let writeRequest = 40
}

/// What both sides can do, the flags of FUSE_INIT.
struct Capability: OptionSet, Sendable {
    let rawValue: UInt64

    static let asyncRead = Capability(rawValue: 1 << 0)
    static let atomicTruncate = Capability(rawValue: 1 << 3)
    static let bigWrites = Capability(rawValue: 1 << 5)
    static let doNotMask = Capability(rawValue: 1 << 6)
    static let autoInvalidateData = Capability(rawValue: 1 << 12)
    static let readDirectoryPlus = Capability(rawValue: 1 << 13)
    static let readDirectoryPlusAuto = Capability(rawValue: 1 << 14)
    static let asyncDirectIO = Capability(rawValue: 1 << 15)
    static let parallelDirectoryOperations = Capability(rawValue: 1 << 18)
    static let posixACL = Capability(rawValue: 1 << 20)
    static let maxPages = Capability(rawValue: 1 << 22)
    static let cacheSymlinks = Capability(rawValue: 1 << 23)
    static let submounts = Capability(rawValue: 1 << 27)
    static let handleKillPrivilegesV2 = Capability(rawValue: 1 << 28)
    static let extendedSetXattr = Capability(rawValue: 1 << 29)
}

/// Which fields a SETATTR request means, FATTR_* of <linux/fuse.h>.
struct SetAttributes: OptionSet {
    let rawValue: UInt32

    static let mode = SetAttributes(rawValue: 1 << 0)
    static let uid = SetAttributes(rawValue: 1 << 1)
    static let gid = SetAttributes(rawValue: 1 << 2)
    static let size = SetAttributes(rawValue: 1 << 3)
    static let accessTime = SetAttributes(rawValue: 1 << 4)
    static let modificationTime = SetAttributes(rawValue: 1 << 5)
    static let handle = SetAttributes(rawValue: 1 << 6)
    static let accessTimeNow = SetAttributes(rawValue: 1 << 7)
    static let modificationTimeNow = SetAttributes(rawValue: 1 << 8)
    static let killSetID = SetAttributes(rawValue: 1 << 11)
}

/// How the guest is to treat an open file, FOPEN_* of <linux/fuse.h>.
struct OpenReply: OptionSet {
    let rawValue: UInt32

    static let directIO = OpenReply(rawValue: 1 << 0)
    static let keepCache = OpenReply(rawValue: 1 << 1)
    static let cacheDirectory = OpenReply(rawValue: 1 << 3)
    static let noFlush = OpenReply(rawValue: 1 << 5)
}

/// Flag bits that stand in one request each.
enum RequestFlag {
    /// fuse_getattr_in.getattr_flags: a handle is given.
    static let getAttributesHandle: UInt32 = 1
    /// fuse_write_in.write_flags: pages of the guest's cache, written through a handle it merely guessed.
    static let writeCache: UInt32 = 1
    /// fuse_write_in.write_flags: the caller lacks CAP_FSETID.
    static let writeKillSetID: UInt32 = 4
    /// fuse_open_in.open_flags, fuse_create_in.open_flags: the caller lacks CAP_FSETID.
    static let openKillSetID: UInt32 = 1
    /// fuse_setxattr_in.setxattr_flags.
    static let aclKillSetGID: UInt32 = 1
    /// fuse_fsync_in.fsync_flags.
    static let dataOnly: UInt32 = 1
    /// fuse_ioctl_in.flags: the handle is a directory's.
    static let controlDirectory: UInt32 = 1 << 4
    /// fuse_attr.flags: a file system of its own begins here.
    static let attributeSubmount: UInt32 = 1
}
