// SPDX-License-Identifier: Apache-2.0
/// A disk of the machine: what is on it is the guest's alone. It is raw: the host looks for no format.
public struct DiskPlan: Hashable, Sendable {
    /// What the guest finds it by: 1 to 20 bytes of `[A-Za-z0-9._-]`, no other disk's of the machine.
    public var serial: String
    /// A regular file or a block device, open for reading and, unless the disk is read-only, for writing. The
    /// caller's, before and after.
    public var descriptor: Int32
    /// The device refuses what the guest writes.
    public var isReadOnly: Bool
    /// Of bytes moved, and of requests.
    public var limits = RateLimits.unlimited

    /// Without limits.
    public init(serial: String, descriptor: Int32, isReadOnly: Bool) {
        self.serial = serial
        self.descriptor = descriptor
        self.isReadOnly = isReadOnly
    }

    /// Whether `text` may be a disk's serial.
    public static func isSerial(_ text: String) -> Bool {
        (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || [0x2e, 0x5f, 0x2d].contains($0)
            }
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

    /// nil for a name that is none of these.
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
    /// What is on it; it is never guessed.
    public var fileSystem: DiskFileSystem
    /// The file system's own (`noload`), and the flags of its superblock (`sync`).
    public var options: [String]
    /// Of the mount itself.
    public var attributes: MountAttributes
    /// The file system itself is read-only, as its disk is.
    public var isReadOnly: Bool

    /// Nothing is checked here.
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
