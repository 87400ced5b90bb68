import CLinux
import Linux

/// A file of the shared tree that the guest knows by number.
final class Inode: @unchecked Sendable {
    // @unchecked: the constants are safe everywhere; the variables are touched under the InodeTable's lock.

    /// The node id: the slot in the low 32 bits, counted from 1; how often it was used before in the high.
    let id: UInt64
    let identity: FileIdentity
    let creationTime: Int64
    /// S_IFMT of the mode, which a file keeps for life.
    let kind: UInt32
    /// A directory in which another mount than its parent's begins.
    let isSubmount: Bool

    /// How often the guest was told of it and has not forgotten it again.
    var lookups: UInt64 = 0
    /// The directory it was last seen in, and its NUL-ended name there; empty when it has none any more.
    var parent: UInt64
    var name: [UInt8]
    /// The open place, where there is one.
    var path: PathDescriptor?
    /// Where it stands among the inodes with an open place; -1: nowhere.
    var clockIndex = -1
    var wasUsed = false
    /// How often something asked that its place stay open: files open on it, and who is about to unlink it.
    var openCount = 0
    /// One of the files open on it: a way to it that needs no name.
    var opened: Handle?
    /// What the file was like when the guest last opened it.
    var stamp: CacheStamp?

    init(id: UInt64, status: cl_statx, isSubmount: Bool, parent: UInt64, name: [UInt8]) {
        self.id = id
        identity = FileIdentity(status)
        creationTime = status.creationTime
        kind = status.kind
        self.isSubmount = isSubmount
        self.parent = parent
        self.name = name
    }

    var isDirectory: Bool { kind == 0o040000 }
    var isRegular: Bool { kind == 0o100000 }

    /// Whether `status` is of this very file.
    func isSame(as status: cl_statx) -> Bool {
        FileIdentity(status) == identity && status.creationTime == creationTime && status.kind == kind
    }
}

/// A descriptor that is a place only (O_PATH), open as long as anybody holds it.
final class PathDescriptor: Sendable {
    let file: FileDescriptor
    init(_ file: consuming FileDescriptor) { self.file = file }
    var number: Int32 { file.rawValue }
}

/// What a file's content is recognised by: unchanged, the guest may keep the pages it has.
struct CacheStamp: Equatable {
    let size: UInt64
    let modified: Int64
    let changed: Int64

    /// - Returns: nil where the last change is less than a second old: another could follow within one
    ///   tick of the file system's clock and go unseen.
    init?(_ status: cl_statx, now: Int64) {
        guard now - status.changed.seconds > 1, now - status.modified.seconds > 1 else { return nil }
        size = status.size
        modified = status.modified.seconds &* 1_000_000_000 &+ Int64(status.modified.nanoseconds)
        changed = status.changed.seconds &* 1_000_000_000 &+ Int64(status.changed.nanoseconds)
    }
}
