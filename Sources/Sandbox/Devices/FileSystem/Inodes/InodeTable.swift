// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Synchronization

/// The inodes the guest knows, by number and by identity.
///
/// **Descriptors.** An inode needs no open descriptor. It is known by its parent and name, and its place is
/// opened (O_PATH) when something asks for more than that; whatever is found there must be the same file,
/// or the answer is ESTALE, on which the guest's kernel looks the name up anew. Places stay open as long as the
/// guest's open files leave descriptors for them, the least used are closed first; so the guest can know far more files
/// than the process may have open. A file that lost its name keeps its place open, for there is no other way back to it.
/// (File
/// handles, open_by_handle_at(2), would outlive renames on the host, but overlay file systems, on which
/// containers live, do not have them.)
///
/// **Memory.** About 400 bytes an inode, `limit` inodes. From three quarters of them on, the guest is given names that it
/// forgets with their last user; were all in use, a lookup would answer ENFILE.
final class InodeTable: Sendable {
    static let rootID: UInt64 = 1
    static let defaultLimit = 1 << 20
    private static let doubtLimit = 8

    struct State {
        var slots: [Inode?] = []
        /// How often each slot was used before.
        var generations: [UInt32] = []
        var free: [UInt32] = []
        var byIdentity = IdentityMap()
        /// By where they were last seen, see ``nameKey(_:in:)``.
        var byName: [Int: Inode] = [:]
        var fixedCount = 0
        var shares: [Share] = []
        /// Inodes with an open place, in no order.
        var clock: [Inode] = []
        var hand = 0
        /// Submounts by the number of the directory they stand in.
        var submounts: [UInt64: [Inode]] = [:]
    }

    let state = Mutex(State())
    let limit: Int
    /// Descriptors for places and for the guest's open files together.
    let descriptorLimit: Int
    let openFiles: DescriptorBudget
    /// The guest knows so many that it is asked to forget what it does not use.
    private let isCrowded = Atomic<Bool>(false)

    /// - Parameters:
    ///   - root: the tree, opened with O_PATH or for reading.
    ///   - descriptorLimit: how many descriptors there may be for places and for the guest's open files together.
    init(root: consuming FileDescriptor, limit: Int = defaultLimit, descriptorLimit: Int) throws(Errno) {
        self.limit = limit
        self.descriptorLimit = descriptorLimit
        openFiles = DescriptorBudget(limit: descriptorLimit - Self.pathFloor(descriptorLimit))
        let status = try HostFile.status(of: root.borrowed)
        guard status.isDirectory else { throw .notDirectory }
        let inode = Inode(
            id: Self.rootID, status: status, isSubmount: false, isTop: true, share: nil, parent: 0, name: [])
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
    /// - Parameters:
    ///   - directory: `parent`, open.
    ///   - path: the place, where it is open already.
    func found(
        _ status: cl_statx, in parent: Inode, at directory: BorrowedDescriptor, name: Name?, announcesSubmounts: Bool,
        path: PathDescriptor? = nil
    ) throws(Errno) -> Inode {
        var verdict: Verdict?
        // Where the table changes while a doubt is looked into, there may be another one.
        for _ in 0..<Self.doubtLimit {
            let sight = state.withLock { state in
                let sight = state.see(
                    status, in: parent, name: name, announcesSubmounts: announcesSubmounts, verdict: verdict,
                    limit: limit)
                countCrowd(state)
                return sight
            }
            switch sight {
            case .known(let inode):
                if let path { keep(path, for: inode) }
                return inode
            case .full: throw Errno(rawValue: ENFILE)
            case .gone: throw Errno(rawValue: ESTALE)
            case .doubtful(let inode):
                let isInPlace = name.map { name in state.withLock { _ in inode.isCalled(name, in: parent) } } ?? false
                let isSame = recognizes(inode, in: status, at: directory, isInPlace: isInPlace)
                verdict = Verdict(inode: inode, isSame: isSame)
            }
        }
        throw Errno(rawValue: ESTALE)
    }

    /// Nothing is called `name` in `parent` any more, or never was.
    func vanished(_ name: Name, in parent: Inode) {
        state.withLock { state in
            if !state.submounts.isEmpty { state.forgetSubmounts(in: parent.id, name, except: nil) }
        }
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
            countCrowd(state)
        }
    }

    // MARK: Forgetting

    func countCrowd(_ state: borrowing State) {
        let isCrowded = state.slots.count - state.free.count >= limit / 4 * 3
        if isCrowded != self.isCrowded.load(ordering: .relaxed) { self.isCrowded.store(isCrowded, ordering: .relaxed) }
    }

    /// Whether the guest is not to remember `inode` longer than it uses it. It knows so many then that few more fit, and
    /// there is no message that tells Linux 6.1 to forget one; but a name that holds for no time at all it drops with
    /// its last user, on virtio-fs.
    func isBrief(_ inode: Inode) -> Bool {
        guard isCrowded.load(ordering: .relaxed) else { return false }
        return state.withLock { _ in inode.lookups == 1 && !inode.isFixed }
    }

    /// Whether listing an entry called `name` in `parent` is to tell of its inode, too.
    func isListed(_ name: Name, in parent: Inode) -> Bool {
        !isCrowded.load(ordering: .relaxed) || knows(name, in: parent)
    }

    /// A new session: nothing is known but the root.
    func clear() {
        state.withLock { state in
            for index in state.slots.indices.dropFirst() {
                if let inode = state.slots[index] { state.remove(inode) }
            }
            state.submounts = [:]
            state.shares = []
        }
    }

    /// `handle` was opened on its inode.
    ///
    /// - Returns: false where the inode is not known any more.
    func opened(_ handle: Handle) -> Bool {
        state.withLock { state in
            guard state.inode(handle.inode.id) === handle.inode else { return false }
            handle.inode.handles.append(handle)
            while state.clock.count > pathLimit, state.evict() {}
            return true
        }
    }

    /// Room for a descriptor of a file of `inode`.
    ///
    /// - Throws: `ENFILE` if none is left.
    func room(for inode: Inode) throws(Errno) -> DescriptorBudget.Place {
        let isDivided = state.withLock { $0.shares.count > 1 }
        return try openFiles.take(for: inode.share, isDivided: isDivided)
    }

    /// The file that is open on `inode` with the same flags, where descriptors are so scarce that it serves for another.
    func openFile(of inode: Inode, flags: Int32) -> OpenFile? {
        guard openFiles.isScarce else { return nil }
        return state.withLock { _ in inode.handles.first { !$0.isDirectory && $0.file.flags == flags }?.file }
    }

    /// `handle` is being closed. The last one of a file without a name leaves the place behind.
    func closed(_ handle: Handle) {
        let isLastWay = state.withLock { _ in
            let inode = handle.inode
            return inode.name.isEmpty && inode.path == nil && inode.handles.count == 1 && inode.lookups > 0
        }
        if isLastWay { _ = try? path(of: handle) }
        state.withLock { _ in
            guard let index = handle.inode.handles.lastIndex(where: { $0 === handle }) else { return }
            handle.inode.handles.remove(at: index)
        }
    }

    /// How many places may be open: what the guest's open files leave, and a few in any case.
    var pathLimit: Int { max(descriptorLimit - openFiles.count, Self.pathFloor(descriptorLimit)) }

    /// Without any, each request would open the whole way down.
    static func pathFloor(_ descriptorLimit: Int) -> Int { min(descriptorLimit / 4, 256) }

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
        setName(of: inode, parent: 0, [])
        release(inode)
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
