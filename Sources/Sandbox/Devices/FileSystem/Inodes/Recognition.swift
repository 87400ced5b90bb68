// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Whether a file found on the host is one the guest knows.
///
/// Device and inode number tell, with two exceptions. **Numbers are used again** once a file is gone: at once by ext4
/// and tmpfs. They are not while a descriptor of the file is open here, a place (O_PATH) included; with none open, the
/// birth time tells, where the file system keeps it. **Files get other numbers**: overlayfs copies up a file of several
/// names, or one of a layer without file handles, to a file with another number, and any file to one with another
/// birth time. Its own descriptors show that it is the same: what was opened before is asked again.
///
/// A file taken for another costs the guest dearly: Linux drops the name, every mount below it, and the locks that two
/// holders of one file share.
extension InodeTable {
    /// Whether `status`, found in `directory`, is of `inode`; what it is known by is then brought up to date.
    ///
    /// - Parameter isInPlace: whether it was found under the name the inode is known by.
    func recognizes(_ inode: Inode, in status: cl_statx, at directory: BorrowedDescriptor, isInPlace: Bool) -> Bool {
        let (likeness, held, creationTime) = state.withLock { _ in
            (inode.likeness(to: status), inode.held, inode.creationTime)
        }
        switch likeness {
        case .same: return true
        case .other: return false
        case .renumbered: guard isInPlace, let held, shows(held, status) else { return false }
        case .unsure:
            if let held {
                guard shows(held, status) else { return false }
            } else if status.creationTime != creationTime {
                guard isInPlace, !keepsBirthTimes(directory) else { return false }
            }
        }
        state.withLock { $0.identify(inode, by: status) }
        return true
    }

    /// Whether the open file is the one that `status` is of. A network file system says ESTALE where it is gone.
    private func shows(_ held: HeldFile, _ status: cl_statx) -> Bool {
        guard let now = try? HostFile.status(of: held.borrowed) else { return false }
        return FileIdentity(now) == FileIdentity(status)
    }

    /// Whether a file in `directory` has one birth time for life. Elsewhere it may be another file's (overlayfs), the
    /// server's to set (network file systems), or anything (FUSE).
    private func keepsBirthTimes(_ directory: BorrowedDescriptor) -> Bool {
        var status = cl_statfs()
        // fstatfs(2) fills the structure and keeps nothing.
        let answer = unsafe withUnsafeMutablePointer(to: &status) { pointer in
            unsafe cl_syscall(Int(__NR_fstatfs), directory.argument, pointer.argument, 0, 0, 0, 0)
        }
        return answer == 0 && Self.withBirthTimes.contains(UInt32(truncatingIfNeeded: status.type))
    }

    /// statfs(2): ext4, XFS, Btrfs, tmpfs, F2FS, bcachefs, ZFS.
    private static let withBirthTimes: Set<UInt32> = [
        0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0xf2f5_2010, 0xca45_1a4e, 0x2fc1_2fc1,
    ]
}

extension Inode {
    enum Likeness {
        case same, other, unsure, renumbered

        /// Whether it is the same file; nil where the numbers alone do not tell.
        var isCertain: Bool? {
            switch self {
            case .same: true
            case .other: false
            case .unsure, .renumbered: nil
            }
        }
    }

    /// What the numbers alone say.
    func likeness(to status: cl_statx) -> Likeness {
        if status.kind != kind { return .other }
        if FileIdentity(status) != identity { return .renumbered }
        return status.creationTime == creationTime && creationTime != 0 ? .same : .unsure
    }
}

extension InodeTable {
    /// What looking at a doubtful file closer has shown.
    struct Verdict {
        let inode: Inode
        let isSame: Bool
    }

    enum Sight {
        case known(Inode)
        /// Whether the file is this one has to be looked into.
        case doubtful(Inode)
        case full
        /// The directory is not known any more.
        case gone
    }
}

extension InodeTable.State {
    /// The inode that the file of `status`, under `name` in `parent`, is known as or becomes known as: once more.
    mutating func see(
        _ status: cl_statx, in parent: Inode, name: Name?, announcesSubmounts: Bool, verdict: InodeTable.Verdict?,
        limit: Int
    ) -> InodeTable.Sight {
        guard inode(parent.id) === parent else { return .gone }
        let identity = FileIdentity(status)
        if let name, !submounts.isEmpty { forgetSubmounts(in: parent.id, name, except: identity) }
        let known = byIdentity[identity]
        if let known, !known.isFixedElsewhere(than: name, in: parent) {
            let isSame =
                verdict?.inode === known ? verdict?.isSame : known.likeness(to: status).isCertain
            guard let isSame else { return .doubtful(known) }
            if isSame {
                known.lookups &+= 1
                if let name, known.id != InodeTable.rootID, !known.isFixed, !known.isCalled(name, in: parent) {
                    setName(of: known, parent: parent.id, name.terminated)
                }
                return .known(known)
            }
        } else if known == nil, let name, let named = named(name, in: parent), verdict?.inode !== named,
            named.held != nil, named.kind == status.kind
        {
            return .doubtful(named)
        }
        guard let slot = takeSlot(limit: limit) else { return .full }
        // A mount, or a subvolume of Btrfs: the numbers of its files may be those of others.
        let isSubmount =
            announcesSubmounts && status.isDirectory
            && (identity.mount != parent.identity.mount || identity.device != parent.identity.device)
        let inode = Inode(
            id: UInt64(generations[slot]) << 32 | UInt64(slot + 1), status: status, isSubmount: isSubmount,
            isTop: parent.share == nil, share: share(of: identity, as: name, in: parent), parent: parent.id, name: [])
        inode.lookups = 1
        slots[slot] = inode
        // Where another was known by this number, it is gone, and who holds it gets ESTALE.
        byIdentity[identity] = inode
        if let name { setName(of: inode, parent: parent.id, name.terminated) }
        if isSubmount { submounts[parent.id, default: []].append(inode) }
        return .known(inode)
    }

    /// `inode` is known by what `status` says from now on.
    mutating func identify(_ inode: Inode, by status: cl_statx) {
        inode.creationTime = status.creationTime
        let identity = FileIdentity(status)
        guard identity != inode.identity, self.inode(inode.id) === inode else { return }
        if byIdentity[inode.identity] === inode { byIdentity[inode.identity] = nil }
        inode.identity = identity
        if byIdentity[identity] == nil { byIdentity[identity] = inode }
    }

    // MARK: Names

    /// The inode last seen as `name` in `parent`.
    func named(_ name: Name, in parent: Inode) -> Inode? {
        // The bytes are the exchange's for the call.
        guard let inode = byName[unsafe Self.nameKey(name.terminatedBytes, in: parent.id)],
            inode.isCalled(name, in: parent)
        else {
            return nil
        }
        return inode
    }

    /// - Parameter name: NUL-ended; empty where the inode has none any more.
    mutating func setName(of inode: Inode, parent: UInt64, _ name: [UInt8]) {
        if !inode.name.isEmpty {
            // Hashed within the call.
            let key = unsafe inode.name.withUnsafeBytes { unsafe Self.nameKey($0, in: inode.parent) }
            if byName[key] === inode { byName[key] = nil }
        }
        inode.parent = parent
        inode.name = name
        if !name.isEmpty {
            // Hashed within the call.
            byName[unsafe name.withUnsafeBytes { unsafe Self.nameKey($0, in: parent) }] = inode
        }
    }

    /// Two names may have one key: after a lookup the names are compared.
    private static func nameKey(_ bytes: UnsafeRawBufferPointer, in parent: UInt64) -> Int {
        var hasher = Hasher()
        hasher.combine(parent)
        // The caller's bytes, for the call.
        unsafe hasher.combine(bytes: bytes)
        return hasher.finalize()
    }
}
