// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// Names that lead to one inode whatever the host does with them.
///
/// Linux asks for a name again when a second has passed. Where the answer is another inode or an error (except ENOMEM),
/// it drops the name, and **detaches every mount on it and below it**, in d_invalidate(): what a container writes to a
/// volume would go to its root from then on. So the agent names each place it is about to mount on, and the place and
/// all directories above it, up to the share's top, keep their inodes as long as the guest knows them: also where the
/// host removes, renames or replaces them. A directory that the host replaced is the new one from then on, with the
/// same inode; where nothing stands at the name, or another kind of file, the guest keeps what was there.
///
/// The guest's own changes are not the host's: a name that it removes or renames goes as on any file system.
extension InodeTable {
    /// Each keeps a descriptor open.
    var fixedLimit: Int { min(4096, descriptorLimit / 4) }

    /// Fixes `inode` and every directory above it, below the share's top.
    ///
    /// - Throws: `ESTALE` where one of them has no name any more; `ENFILE` where ``fixedLimit`` are fixed.
    func fix(_ inode: Inode) throws(Errno) {
        let way = try wayDown(to: inode)
        // What is in the file system above the first mount is the tree that shares are put in, and no container's.
        let top = way.firstIndex { $0.isSubmount }
        for step in way.dropFirst(top.map { $0 + 1 } ?? 0) {
            try state.withLock { $0.fix(step, limit: fixedLimit) }.get()
            _ = try path(of: step)
        }
    }

    /// Every inode from the one below the root to `inode`.
    private func wayDown(to inode: Inode) throws(Errno) -> [Inode] {
        let way: [Inode]? = state.withLock { state in
            var way: [Inode] = []
            var current = inode
            while current.id != Self.rootID {
                guard way.count < Self.depthLimit, !current.name.isEmpty, let parent = state.inode(current.parent)
                else { return nil }
                way.append(current)
                current = parent
            }
            return way.reversed()
        }
        guard let way else { throw Errno(rawValue: ESTALE) }
        return way
    }

    /// The inode that `name` in `parent` is fixed to, if any: the guest knows it once more.
    func fixed(_ name: Name, in parent: Inode) -> Inode? {
        state.withLock { state in
            guard state.fixedCount > 0, let inode = state.named(name, in: parent), inode.isFixed else { return nil }
            inode.lookups &+= 1
            return inode
        }
    }

    /// Whether the guest knows an inode by `name` in `parent`.
    func knows(_ name: Name, in parent: Inode) -> Bool {
        state.withLock { $0.named(name, in: parent).map { $0.lookups > 0 } ?? false }
    }

    /// `inode` is the file at `path` from now on.
    func lead(_ inode: Inode, to path: PathDescriptor, _ status: cl_statx) {
        state.withLock { state in
            state.identify(inode, by: status)
            state.drop(inode)
            state.keep(path, for: inode, limit: pathLimit)
        }
    }
}

extension InodeTable.State {
    mutating func fix(_ inode: Inode, limit: Int) -> Result<Void, Errno> {
        if inode.isFixed { return .success(()) }
        guard self.inode(inode.id) === inode else { return .failure(Errno(rawValue: ESTALE)) }
        guard fixedCount < limit else { return .failure(Errno(rawValue: ENFILE)) }
        fixedCount += 1
        inode.isFixed = true
        // Its place stays open.
        inode.holdCount += 1
        return .success(())
    }

    /// The guest has forgotten or removed it.
    mutating func release(_ inode: Inode) {
        guard inode.isFixed else { return }
        fixedCount -= 1
        inode.isFixed = false
        inode.holdCount -= 1
    }
}

extension Inode {
    /// Whether this is a directory that is fixed to another name, so that what is found is what the host moved there.
    func isFixedElsewhere(than name: Name?, in parent: Inode) -> Bool {
        guard isFixed, isDirectory else { return false }
        return name.map { !isCalled($0, in: parent) } ?? true
    }
}

extension FileServer {
    /// GETXATTR: the agent is about to mount on the inode.
    ///
    /// - Returns: whether the request was that.
    func fixes(_ inode: Inode, asked attribute: Name, _ exchange: Exchange) throws(Errno) -> Bool {
        guard attribute.isEqual(GuestConvention.mountPointAttribute) else { return false }
        try inodes.fix(inode)
        // The attribute is there and empty.
        exchange.put(UInt64(0))
        return true
    }

    /// The attributes of a fixed inode, after a look at what stands at its name.
    ///
    /// - Parameter directory: `parent`, where it can be opened.
    func show(_ fixed: Inode, _ name: Name, in parent: Inode, at directory: PathDescriptor?) -> cl_statx {
        guard let directory, let status = try? HostFile.status(in: directory.borrowed, name: name.argument) else {
            return kept(fixed)
        }
        return show(fixed, name, found: status, at: directory.borrowed)
    }

    func show(_ fixed: Inode, _ name: Name, found status: cl_statx, at directory: BorrowedDescriptor) -> cl_statx {
        if inodes.recognizes(fixed, in: status, at: directory, isInPlace: true) { return status }
        guard fixed.isDirectory, status.isDirectory,
            let file = try? inodes.withDescriptors({ () throws(Errno) in
                try HostFile.path(in: directory, name: name.argument)
            }),
            let opened = try? HostFile.status(of: file.borrowed), opened.isDirectory
        else { return kept(fixed) }
        inodes.lead(fixed, to: PathDescriptor(file), opened)
        return opened
    }

    /// What the host says of the file that was there, and where it says nothing, that it is one of its kind.
    private func kept(_ fixed: Inode) -> cl_statx {
        if let status = try? inodes.status(of: fixed), status.kind == fixed.kind { return status }
        var status = cl_statx()
        status.mode = UInt16(truncatingIfNeeded: fixed.kind | 0o555)
        return status
    }
}

extension Errno {
    /// Whether the same request may well be answered a moment later.
    var isPassing: Bool { [EMFILE, ENFILE, ENOMEM, EINTR, EAGAIN, EIO, ETIMEDOUT].contains(rawValue) }
}
