/// A disk of the machine: what is on it is the guest's alone. It is raw, and nobody looks for a format.
public struct DiskPlan: Hashable, Sendable {
    /// What the guest finds it by: 1 to 20 bytes of `[A-Za-z0-9._-]`, no other disk's of the machine.
    public var serial: String
    /// A regular file or a block device, open for reading and, unless the disk is read-only, for writing. The
    /// caller's, before and after.
    public var descriptor: Int32
    /// The device refuses what the guest writes.
    public var isReadOnly: Bool
    /// Bytes moved; nil: no limit.
    public var bandwidth: RatePlan?
    /// Requests; nil: no limit.
    public var operations: RatePlan?

    public init(serial: String, descriptor: Int32, isReadOnly: Bool) {
        self.serial = serial
        self.descriptor = descriptor
        self.isReadOnly = isReadOnly
    }

    public static func isSerial(_ text: String) -> Bool {
        (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || [0x2e, 0x5f, 0x2d].contains($0)
            }
    }
}

/// A limit that refills: so much in so many milliseconds, and so much at once beyond it, the first time.
public struct RatePlan: Hashable, Sendable {
    /// At least 1.
    public var size: UInt64
    public var burst: UInt64
    /// 1 to 86,400,000.
    public var refillMilliseconds: UInt64

    public init(size: UInt64, burst: UInt64 = 0, refillMilliseconds: UInt64) {
        self.size = size
        self.burst = burst
        self.refillMilliseconds = refillMilliseconds
    }
}

/// A file system that a disk can hold as a container's root.
public enum DiskFileSystem: UInt32, Hashable, Sendable, CaseIterable {
    case ext4 = 1
    case ext3 = 2
    case ext2 = 3
    case xfs = 4
    case erofs = 5
    case squashfs = 6

    /// As mount(2) knows it.
    public var name: String {
        switch self {
        case .ext4: "ext4"
        case .ext3: "ext3"
        case .ext2: "ext2"
        case .xfs: "xfs"
        case .erofs: "erofs"
        case .squashfs: "squashfs"
        }
    }

    public init?(name: String) {
        guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = known
    }

    /// Made once and never written.
    public var isAlwaysReadOnly: Bool { self == .erofs || self == .squashfs }
}

/// How the guest mounts a disk.
public struct DiskMount: Hashable, Sendable {
    /// Of the machine's ``DiskPlan``.
    public var serial: String
    public var fileSystem: DiskFileSystem
    /// The file system's own (`noload`), and the flags of its superblock (`sync`).
    public var options: [String]
    public var attributes: MountAttributes
    /// The file system itself is read-only, as its disk is.
    public var isReadOnly: Bool

    public init(
        serial: String, fileSystem: DiskFileSystem, options: [String] = [], attributes: MountAttributes = [],
        isReadOnly: Bool
    ) {
        self.serial = serial
        self.fileSystem = fileSystem
        self.options = options
        self.attributes = attributes
        self.isReadOnly = isReadOnly
    }
}
