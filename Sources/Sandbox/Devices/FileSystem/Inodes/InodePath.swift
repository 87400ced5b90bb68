// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// How an inode's place on the host is reached, and which places stay open.
extension InodeTable {
    /// The place of `inode`, opened where it is not open yet.
    ///
    /// - Throws: `ESTALE` where the file is no longer where it was seen.
    func path(of inode: Inode) throws(Errno) -> PathDescriptor {
        let (known, opened) = state.withLock { ($0.use(inode), inode.handles.last) }
        if let known { return known }
        if let opened { return try path(of: opened) }
        var path = try nearestOpen(above: inode)
        for step in path.missing.reversed() { path.base = try open(step, in: path.base) }
        return path.base
    }

    /// The attributes of `inode`, without opening its place.
    func status(of inode: Inode) throws(Errno) -> cl_statx {
        let (known, opened) = state.withLock { ($0.use(inode), inode.handles.last) }
        if let file = known?.borrowed ?? opened?.borrowed { return try HostFile.status(of: file) }
        let (parent, name) = try location(of: inode)
        let directory = try path(of: parent)
        let status = try stale { () throws(Errno) in
            try withBytes(name) { (name) throws(Errno) in try HostFile.status(in: directory.borrowed, name: name) }
        }
        guard recognizes(inode, in: status, at: directory.borrowed, isInPlace: true) else {
            throw Errno(rawValue: ESTALE)
        }
        return status
    }

    /// Keeps `path` as the place of `inode`.
    func keep(_ path: PathDescriptor, for inode: Inode) {
        state.withLock { $0.keep(path, for: inode, limit: pathLimit) }
    }

    /// The entry `name` of `directory` is about to go: where the guest knows the file, its place is opened
    /// while the name is there, and held until ``lost(_:in:_:isGone:)``.
    ///
    /// - Parameter directory: `parent`, open.
    func prepareToLose(_ name: Name, in parent: Inode, at directory: BorrowedDescriptor) -> Inode? {
        guard let inode = known(name, in: parent, at: directory) else { return nil }
        let isOpen = state.withLock { state in
            inode.holdCount += 1
            return state.use(inode) != nil
        }
        if !isOpen {
            guard
                let file = try? withDescriptors({ () throws(Errno) in
                    try HostFile.path(in: directory, name: name.argument)
                }),
                let opened = try? HostFile.status(of: file.borrowed),
                recognizes(inode, in: opened, at: directory, isInPlace: true)
            else { return inode }
            keep(PathDescriptor(file), for: inode)
        }
        return inode
    }

    /// What ``prepareToLose(_:in:)`` held is let go. Where the entry `isGone`, who was known by it has no
    /// name now.
    func lost(_ name: Name, in parent: Inode, _ inode: Inode?, isGone: Bool) {
        guard let inode else { return }
        state.withLock { state in
            inode.holdCount -= 1
            guard isGone, inode.isCalled(name, in: parent) else { return }
            state.setName(of: inode, parent: inode.parent, [])
            state.release(inode)
        }
    }

    /// The inode the guest knows for the entry `name` of `parent`, if it does.
    ///
    /// - Parameter directory: `parent`, open.
    func known(_ name: Name, in parent: Inode, at directory: BorrowedDescriptor) -> Inode? {
        guard let status = try? HostFile.status(in: directory, name: name.argument) else { return nil }
        let identity = FileIdentity(status)
        let candidate = state.withLock { state -> (Inode, isInPlace: Bool)? in
            let named = state.named(name, in: parent)
            if let named, named.isFixed { return (named, true) }
            if let known = state.byIdentity[identity] { return (known, known === named) }
            return named.map { ($0, true) }
        }
        guard let (inode, isInPlace) = candidate,
            recognizes(inode, in: status, at: directory, isInPlace: isInPlace)
        else { return nil }
        return inode
    }

    /// `inode` is now called `name` in `parent`.
    func moved(_ inode: Inode, to parent: Inode, _ name: Name) {
        guard inode.id != Self.rootID else { return }
        state.withLock { $0.setName(of: inode, parent: parent.id, name.terminated) }
    }

    /// Closes `count` places, where as many can be opened again.
    func closePaths(_ count: Int) {
        state.withLock { state in for _ in 0..<count where !state.evict() { break } }
    }

    /// The place of a file that is open.
    func path(of handle: Handle) throws(Errno) -> PathDescriptor {
        let place = DescriptorPath()
        let path = PathDescriptor(
            try withDescriptors { () throws(Errno) in
                FileDescriptor(
                    owning: Int32(
                        try syscall(
                            __NR_openat, CL_AT_FDCWD, place.whole(handle.borrowed), CL_O_PATH | Int(O_CLOEXEC))))
            })
        keep(path, for: handle.inode)
        return path
    }

    // MARK: The way down

    /// What has to be opened to get at an inode: the inodes from it upwards, below `base`.
    private struct Way {
        var base: PathDescriptor
        var missing: [Inode]
    }

    /// A tree as deep as this is served; the guest can nest directories without end.
    static let depthLimit = 8192

    private func nearestOpen(above inode: Inode) throws(Errno) -> Way {
        let way: Way? = state.withLock { state in
            var missing: [Inode] = []
            var current = inode
            while missing.count < Self.depthLimit {
                if let path = state.use(current) { return Way(base: path, missing: missing) }
                missing.append(current)
                guard !current.name.isEmpty, let parent = state.inode(current.parent) else { return nil }
                current = parent
            }
            return nil
        }
        guard let way else { throw Errno(rawValue: ESTALE) }
        return way
    }

    private func location(of inode: Inode) throws(Errno) -> (Inode, [UInt8]) {
        let location = state.withLock { state in
            inode.name.isEmpty ? nil : state.inode(inode.parent).map { ($0, inode.name) }
        }
        guard let location else { throw Errno(rawValue: ESTALE) }
        return location
    }

    /// Opens the place of `inode` in its parent's, which must hold that very file still.
    private func open(_ inode: Inode, in directory: PathDescriptor) throws(Errno) -> PathDescriptor {
        let name = state.withLock { _ in inode.name }
        guard !name.isEmpty else { throw Errno(rawValue: ESTALE) }
        let file = try stale { () throws(Errno) in
            try withDescriptors { () throws(Errno) in
                try withBytes(name) { (name) throws(Errno) in try HostFile.path(in: directory.borrowed, name: name) }
            }
        }
        guard
            recognizes(
                inode, in: try HostFile.status(of: file.borrowed), at: directory.borrowed, isInPlace: true)
        else { throw Errno(rawValue: ESTALE) }
        let path = PathDescriptor(file)
        keep(path, for: inode)
        return path
    }

    /// A name that is not there any more means that the inode is stale, not that the request was wrong.
    private func stale<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(Errno) -> Result {
        do {
            return try body()
        } catch  where error == .noSuchFile || error == .notDirectory {
            throw Errno(rawValue: ESTALE)
        }
    }

    /// Runs `body`, and once more with fewer places open where descriptors ran out.
    func withDescriptors<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(Errno) -> Result {
        do {
            return try body()
        } catch  where error.rawValue == EMFILE || error.rawValue == ENFILE {
            closePaths(64)
            return try body()
        }
    }
}

/// Calls `body` with the address of NUL-ended bytes.
func withBytes<Result: ~Copyable>(_ bytes: [UInt8], _ body: (Int) throws(Errno) -> Result) throws(Errno) -> Result {
    let span = bytes.span
    // The span keeps the array in place for the call.
    return try unsafe span.withUnsafeBufferPointer { (buffer) throws(Errno) in
        try body(Int(bitPattern: buffer.baseAddress))
    }
}

extension InodeTable.State {
    /// The open place of `inode`, marked as used.
    func use(_ inode: Inode) -> PathDescriptor? {
        inode.wasUsed = true
        return inode.path
    }

    /// Keeps a place open, and closes another where there are too many. An inode the guest forgot keeps none.
    mutating func keep(_ path: PathDescriptor, for inode: Inode, limit: Int) {
        guard inode.path == nil, self.inode(inode.id) != nil else { return }
        while clock.count >= limit, evict() {}
        inode.path = path
        inode.clockIndex = Int32(clock.count)
        inode.wasUsed = true
        clock.append(inode)
    }

    /// Closes the place of `inode`.
    mutating func drop(_ inode: Inode) {
        inode.path = nil
        guard inode.clockIndex >= 0 else { return }
        let last = clock.removeLast()
        if last !== inode {
            clock[Int(inode.clockIndex)] = last
            last.clockIndex = inode.clockIndex
        }
        inode.clockIndex = -1
    }

    /// Closes one place that was not used since the hand came by last, and that its name or an open file leads back to.
    mutating func evict() -> Bool {
        for _ in 0..<min(2 * clock.count, 512) {
            if hand >= clock.count { hand = 0 }
            let candidate = clock[hand]
            if candidate.wasUsed {
                candidate.wasUsed = false
            } else if candidate.holdCount == 0, !candidate.name.isEmpty || !candidate.handles.isEmpty {
                drop(candidate)
                return true
            }
            hand += 1
        }
        return false
    }
}
