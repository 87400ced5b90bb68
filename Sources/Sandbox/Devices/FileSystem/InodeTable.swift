import CLinux
import Glibc
import Linux
import Synchronization

/// The inodes the guest knows, by number and by identity.
///
/// **Descriptors.** An inode needs no open descriptor. It is known by its parent and name, and its place is
/// opened (O_PATH) when something asks for more than that; whatever is found there must be the same file,
/// or the answer is ESTALE, on which the guest's kernel looks the name up anew. At most `pathLimit` places
/// stay open, the least used are closed first; so the guest can know far more files than the process may
/// have open. A file that lost its name keeps its place open, for there is no other way back to it. (File
/// handles, open_by_handle_at(2), would outlive renames on the host, but overlay file systems, on which
/// containers live, do not have them.)
///
/// **Memory.** About 250 bytes an inode, `limit` inodes; beyond that a lookup answers ENFILE.
final class InodeTable: Sendable {
    static let rootID: UInt64 = 1

    struct State {
        var slots: [Inode?] = []
        /// How often each slot was used before.
        var generations: [UInt32] = []
        var free: [UInt32] = []
        var byIdentity: [FileIdentity: Inode] = [:]
        /// Inodes with an open place, in no order.
        var clock: [Inode] = []
        var hand = 0
        /// Submounts by the number of the directory they stand in.
        var submounts: [UInt64: [Inode]] = [:]
    }

    let state = Mutex(State())
    let limit: Int
    let pathLimit: Int

    /// - Parameter root: the tree, opened with O_PATH or for reading.
    init(root: consuming FileDescriptor, limit: Int = 1 << 20, pathLimit: Int) throws(Errno) {
        self.limit = limit
        self.pathLimit = pathLimit
        let status = try HostFile.status(of: root.rawValue)
        guard status.isDirectory else { throw .notDirectory }
        let inode = Inode(id: Self.rootID, status: status, isSubmount: false, parent: 0, name: [])
        // The root stands outside the clock: it has no name to be opened by again.
        inode.path = PathDescriptor(root)
        inode.lookups = 1
        state.withLock { state in
            state.slots = [inode]
            state.generations = [0]
            state.byIdentity[inode.identity] = inode
        }
    }

    /// The number of inodes known, the root with them.
    var count: Int { state.withLock { $0.byIdentity.count } }
    /// The number of places open, the root's aside.
    var openPathCount: Int { state.withLock { $0.clock.count } }

    /// The inode the guest calls `id`.
    func inode(_ id: UInt64) throws(Errno) -> Inode {
        guard let inode = state.withLock({ $0.inode(id) }) else { throw Errno(rawValue: ESTALE) }
        return inode
    }

    /// The guest found `status` under `name` in `parent`: the inode for it, which it now knows once more.
    ///
    /// - Parameter path: the place, where it is open already.
    func found(
        _ status: cl_statx, in parent: Inode, name: Name?, announcesSubmounts: Bool, path: PathDescriptor? = nil
    ) throws(Errno) -> Inode {
        let identity = FileIdentity(status)
        let isSubmount = announcesSubmounts && status.isDirectory && identity.mount != parent.identity.mount
        let result: Result<Inode, Errno> = state.withLock { state in
            if let name, !state.submounts.isEmpty { state.forgetSubmounts(in: parent.id, name, except: identity) }
            if let known = state.byIdentity[identity] {
                if known.isSame(as: status) {
                    known.lookups &+= 1
                    if let name, known.id != Self.rootID, known.parent != parent.id || !name.isEqual(known.name) {
                        known.parent = parent.id
                        known.name = name.terminated
                    }
                    return .success(known)
                }
                // The number was given to a new file; who holds the old one gets ESTALE.
                state.byIdentity[identity] = nil
            }
            guard let slot = state.takeSlot(limit: limit) else { return .failure(Errno(rawValue: ENFILE)) }
            let inode = Inode(
                id: UInt64(state.generations[slot]) << 32 | UInt64(slot + 1), status: status,
                isSubmount: isSubmount, parent: parent.id, name: name?.terminated ?? [])
            inode.lookups = 1
            state.slots[slot] = inode
            state.byIdentity[identity] = inode
            if isSubmount { state.submounts[parent.id, default: []].append(inode) }
            if let path { state.keep(path, for: inode, limit: pathLimit) }
            return .success(inode)
        }
        return try result.get()
    }

    /// Nothing is called `name` in `parent` any more, or never was.
    func vanished(_ name: Name, in parent: Inode) {
        state.withLock { state in
            if !state.submounts.isEmpty { state.forgetSubmounts(in: parent.id, name, except: nil) }
        }
        if parent.id == Self.rootID { forgetUnmounted() }
    }

    /// The guest forgets `count` of the lookups of `id`. More than there were count as all.
    func forget(_ id: UInt64, count: UInt64) {
        state.withLock { state in
            guard let inode = state.inode(id), id != Self.rootID else { return }
            inode.lookups -= min(count, inode.lookups)
            guard inode.lookups == 0 else { return }
            // Linux before 6.8 forgets the directory it found a submount at though the submount still uses
            // the number, so this one stays until its name leads elsewhere.
            if inode.isSubmount, state.submounts[inode.parent]?.contains(where: { $0 === inode }) ?? false { return }
            state.remove(inode)
        }
    }

    /// A new session: nothing is known but the root.
    func clear() {
        state.withLock { state in
            for index in state.slots.indices.dropFirst() {
                if let inode = state.slots[index] { state.remove(inode) }
            }
            state.submounts = [:]
        }
    }

    /// `handle` was opened on its inode.
    func opened(_ handle: Handle) {
        state.withLock { _ in
            handle.inode.openCount += 1
            if handle.inode.opened == nil { handle.inode.opened = handle }
        }
    }

    /// `handle` was closed.
    func closed(_ handle: Handle) {
        state.withLock { _ in
            handle.inode.openCount -= 1
            if handle.inode.opened === handle { handle.inode.opened = nil }
        }
    }

    /// Whether the content is as it was when the guest last opened `inode`; remembers how it is now.
    func isUnchanged(_ inode: Inode, _ stamp: CacheStamp?) -> Bool {
        state.withLock { _ in
            let isUnchanged = stamp != nil && inode.stamp == stamp
            inode.stamp = stamp
            return isUnchanged
        }
    }
}

extension InodeTable.State {
    func inode(_ id: UInt64) -> Inode? {
        let slot = Int(id & 0xffff_ffff) - 1
        guard slot >= 0, slot < slots.count, let inode = slots[slot], inode.id == id else { return nil }
        return inode
    }

    mutating func takeSlot(limit: Int) -> Int? {
        if let slot = free.popLast() { return Int(slot) }
        guard slots.count < limit else { return nil }
        slots.append(nil)
        generations.append(0)
        return slots.count - 1
    }

    mutating func remove(_ inode: Inode) {
        let slot = Int(inode.id & 0xffff_ffff) - 1
        guard slots[slot] === inode else { return }
        slots[slot] = nil
        // A slot whose numbers are used up is not used again.
        if generations[slot] < .max {
            generations[slot] += 1
            free.append(UInt32(slot))
        }
        if byIdentity[inode.identity] === inode { byIdentity[inode.identity] = nil }
        drop(inode)
        inode.lookups = 0
    }

    /// Lets go of the submounts known as `name` in `parent`, unless the name still leads to them.
    mutating func forgetSubmounts(in parent: UInt64, _ name: Name, except identity: FileIdentity?) {
        guard let known = submounts[parent] else { return }
        let stale = known.filter { name.isEqual($0.name) && $0.identity != identity }
        guard !stale.isEmpty else { return }
        let rest = known.filter { candidate in !stale.contains { $0 === candidate } }
        submounts[parent] = rest.isEmpty ? nil : rest
        for inode in stale where inode.lookups == 0 { remove(inode) }
    }
}
