// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// A file of the shared tree that the guest knows by number.
final class Inode: @unchecked Sendable {
    // @unchecked: the constants are safe everywhere; the variables are touched under the InodeTable's lock.

    /// The node id: the slot in the low 32 bits, counted from 1; how often it was used before in the high.
    let id: UInt64
    /// What the host knows it by, and its birth time (see Recognition.swift). Both can change while the file stays.
    var identity: FileIdentity
    var creationTime: Int64
    /// S_IFMT of the mode, which a file keeps for life.
    let kind: UInt32
    /// nil: the tree that the shares stand in.
    let share: Share?
    /// A directory in which another file system than its parent's begins, for the guest.
    let isSubmount: Bool
    /// What the upper half of the number shown differs in from the host's. Until Linux enters a submount, it shows the
    /// device of the file system around it, whose top often has the same number: to who walks the tree, a loop.
    let numberMask: UInt32

    /// How often the guest was told of it and has not forgotten it again.
    var lookups: UInt64 = 0
    /// The directory it was last seen in, and its NUL-ended name there; empty when it has none any more.
    var parent: UInt64
    var name: [UInt8]
    /// The open place, where there is one.
    var path: PathDescriptor?
    /// Where it stands among the inodes with an open place; -1: nowhere.
    var clockIndex: Int32 = -1
    var wasUsed = false
    /// How often something asked that its place stay open.
    var holdCount: Int32 = 0
    /// The files open on it: ways to it that need no name.
    var handles: [Handle] = []
    /// The guest has a mount on it or below it: its name leads here, whatever the host does with that name.
    var isFixed = false
    /// What the file was like when the guest last opened it.
    var stamp: CacheStamp?

    init(id: UInt64, status: cl_statx, isSubmount: Bool, isTop: Bool, share: Share?, parent: UInt64, name: [UInt8]) {
        self.id = id
        identity = FileIdentity(status)
        creationTime = status.creationTime
        kind = status.kind
        self.isSubmount = isSubmount
        numberMask = isSubmount && !isTop ? 1 << 31 | status.device_minor : 0
        self.share = share
        self.parent = parent
        self.name = name
    }

    var isDirectory: Bool { kind == 0o040000 }
    var isRegular: Bool { kind == 0o100000 }

    func isCalled(_ name: Name, in directory: Inode) -> Bool { parent == directory.id && name.isEqual(self.name) }

    /// A descriptor of the file, where one is open.
    var held: HeldFile? {
        if let path { .place(path) } else if let last = handles.last { .handle(last) } else { nil }
    }
}

/// Inodes by what the host knows them by. Their identities are not kept a second time: one whose hash is another's, of
/// 64 bits and seeded, displaces that.
struct IdentityMap {
    private var inodes: [Int: Inode] = [:]

    var count: Int { inodes.count }

    subscript(identity: FileIdentity) -> Inode? {
        get { inodes[identity.hashValue].flatMap { $0.identity == identity ? $0 : nil } }
        set { inodes[identity.hashValue] = newValue }
    }
}

/// A descriptor that stays open while this value is kept.
enum HeldFile {
    case place(PathDescriptor)
    case handle(Handle)

    var borrowed: BorrowedDescriptor {
        switch self {
        case .place(let path): path.borrowed
        case .handle(let handle): handle.borrowed
        }
    }
}

/// A descriptor that is a place only (O_PATH), open until the last reference to it goes.
final class PathDescriptor: Sendable {
    let file: FileDescriptor
    init(_ file: consuming FileDescriptor) { self.file = file }
    var borrowed: BorrowedDescriptor { file.borrowed }
}

/// What a file's content is recognised by: unchanged, the guest may keep the pages it has.
struct CacheStamp: Equatable {
    let size: UInt64
    let modified: Int64
    let changed: Int64

    /// - Returns: nil where the last change is less than a second old: another could follow within one
    ///   tick of the file system's clock and go unseen.
    init?(_ status: cl_statx, now: Int64) {
        // Who may write a file may give it any time, as far from now as 64 bits reach.
        let latest = now &- 1
        guard status.changed.seconds < latest, status.modified.seconds < latest else { return nil }
        size = status.size
        modified = status.modified.seconds &* 1_000_000_000 &+ Int64(status.modified.nanoseconds)
        changed = status.changed.seconds &* 1_000_000_000 &+ Int64(status.changed.nanoseconds)
    }
}
