// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// LOOKUP, GETATTR, SETATTR, ACCESS, READLINK and the structures that carry attributes.
extension FileServer {
    func lookup(_ exchange: Exchange) throws(Errno) {
        let parent = try inodes.inode(exchange.inode)
        let name = try exchange.name(at: 0)
        if let fixed = inodes.fixed(name, in: parent) {
            return putEntry(fixed, show(fixed, name, in: parent, at: try? place(ofDirectory: parent)), exchange)
        }
        do {
            let directory = try place(ofDirectory: parent)
            let status = try HostFile.status(in: directory.borrowed, name: name.argument)
            let (inode, shown) = try found(status, in: parent, at: directory.borrowed, name: name)
            // Another's name now.
            if inode.share == nil, inodes.isPlaceOfShare(name, in: parent) { revokeUnmounted() }
            putEntry(inode, shown, exchange)
        } catch {
            if error == .noSuchFile {
                inodes.vanished(name, in: parent)
                // Nothing is called so at the tree's top any more, so whole shares may have gone.
                if parent.id == InodeTable.rootID || inodes.isPlaceOfShare(name, in: parent) { revokeUnmounted() }
            }
            // Any other answer to one who knows the name, and Linux drops the name and every mount below it.
            if error.isPassing, inodes.knows(name, in: parent) { throw Errno(rawValue: ENOMEM) }
            throw error
        }
    }

    /// The place of `inode`, which must be a directory.
    func place(ofDirectory inode: Inode) throws(Errno) -> PathDescriptor {
        guard inode.isDirectory else { throw .notDirectory }
        return try inodes.path(of: inode)
    }

    /// The inode for what was found under `name` in `parent`, and the attributes to show of it.
    ///
    /// - Parameter directory: `parent`, open.
    func found(
        _ status: cl_statx, in parent: Inode, at directory: BorrowedDescriptor, name: Name?, path: PathDescriptor? = nil
    ) throws(Errno) -> (Inode, cl_statx) {
        if let name, let fixed = inodes.fixed(name, in: parent) {
            return (fixed, show(fixed, name, found: status, at: directory))
        }
        let inode = try inodes.found(
            status, in: parent, at: directory, name: name, announcesSubmounts: isAgreed(.submounts), path: path)
        return (inode, status)
    }

    func getAttributes(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let status: cl_statx
        if try exchange.load(UInt32.self, at: 0) & RequestFlag.getAttributesHandle != 0 {
            status = try HostFile.status(of: handles.file(try exchange.load(UInt64.self, at: 8)).borrowed)
        } else {
            status = try inodes.status(of: inode)
        }
        putAttributeReply(inode, status, exchange)
    }

    func setAttributes(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let path = try inodes.path(of: inode)
        let fields = SetAttributes(rawValue: try exchange.load(UInt32.self, at: 0))
        // A change of owner clears set-user-ID bits, so the mode comes after it.
        if !fields.isDisjoint(with: [.uid, .gid]) {
            let uid = fields.contains(.uid) ? try exchange.load(UInt32.self, at: 76) : .max
            let gid = fields.contains(.gid) ? try exchange.load(UInt32.self, at: 80) : .max
            try syscall(
                __NR_fchownat, path.borrowed.argument, HostFile.noName, Int(uid), Int(gid),
                CL_AT_EMPTY_PATH | CL_AT_SYMLINK_NOFOLLOW)
        }
        if fields.contains(.mode) {
            guard inode.kind != 0o120000 else { throw .notSupported }
            try exchange.credentials.keepSetID(true)
            let mode = try exchange.load(UInt32.self, at: 68) & 0o7777
            try syscall(__NR_fchmodat, number(descriptors), exchange.paths.number(path.borrowed), Int(mode))
        }
        if fields.contains(.size) { try truncate(inode, path, fields, exchange) }
        if !fields.isDisjoint(with: [.accessTime, .modificationTime]) {
            var times = (
                try time(fields, .accessTime, .accessTimeNow, seconds: 32, nanoseconds: 56, exchange),
                try time(fields, .modificationTime, .modificationTimeNow, seconds: 40, nanoseconds: 60, exchange)
            )
            // utimensat(2) reads two of them, and keeps nothing.
            try unsafe withUnsafeMutablePointer(to: &times) { (times) throws(Errno) in
                _ = unsafe try syscall(
                    __NR_utimensat, number(descriptors), exchange.paths.number(path.borrowed), times.argument, 0)
            }
        }
        putAttributeReply(inode, try HostFile.status(of: path.borrowed), exchange)
    }

    private func number(_ descriptor: borrowing FileDescriptor) -> Int { descriptor.borrowed.argument }

    private func truncate(
        _ inode: Inode, _ path: PathDescriptor, _ fields: SetAttributes, _ exchange: Exchange
    ) throws(Errno) {
        guard inode.isRegular else { throw inode.isDirectory ? .isDirectory : .invalidArgument }
        let size = try exchange.load(UInt64.self, at: 16)
        guard size <= UInt64(Int64.max) else { throw .invalidArgument }
        try exchange.credentials.keepSetID(!fields.contains(.killSetID))
        if fields.contains(.handle) {
            let handle = try handles.file(try exchange.load(UInt64.self, at: 8))
            try syscall(__NR_ftruncate, handle.borrowed.argument, Int(size))
        } else {
            try syscall(__NR_truncate, exchange.paths.whole(path.borrowed), Int(size))
        }
    }

    /// A timespec of utimensat(2).
    private func time(
        _ fields: SetAttributes, _ given: SetAttributes, _ now: SetAttributes, seconds: Int, nanoseconds: Int,
        _ exchange: Exchange
    ) throws(Errno) -> (Int64, Int64) {
        guard fields.contains(given) else { return (0, Int64(CL_UTIME_OMIT)) }
        if fields.contains(now) { return (0, Int64(CL_UTIME_NOW)) }
        let fraction = try exchange.load(UInt32.self, at: nanoseconds)
        guard fraction < 1_000_000_000 else { throw .invalidArgument }
        return (try exchange.load(Int64.self, at: seconds), Int64(fraction))
    }

    /// The guest asks this only where it does not check permissions itself.
    func access(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let mask = try exchange.load(UInt32.self, at: 0)
        guard mask <= 7 else { throw .invalidArgument }
        if isReadOnly, mask & 2 != 0, inode.isRegular || inode.isDirectory { throw .readOnlyFileSystem }
        let path = try inodes.path(of: inode)
        try exchange.credentials.asCaller(of: exchange, keepsAccess: false) { () throws(Errno) in
            _ = try syscall(
                __NR_faccessat2, number(descriptors), exchange.paths.number(path.borrowed), Int(mask),
                Int(CL_AT_EACCESS))
        }
    }

    func readLink(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        guard inode.kind == 0o120000 else { throw .invalidArgument }
        let path = try inodes.path(of: inode)
        // readlinkat(2) writes no more than the size it is given.
        let target = try unsafe exchange.space(4096)
        let count = try unsafe syscall(
            __NR_readlinkat, path.borrowed.argument, HostFile.noName, target.argument, target.count)
        exchange.advance(by: count)
    }

    // MARK: Structures

    /// struct fuse_entry_out.
    func putEntry(_ inode: Inode, _ status: cl_statx, _ exchange: Exchange) {
        exchange.put(inode.id)
        exchange.put(UInt64(0))  // generation: the id holds it
        exchange.put(inodes.isBrief(inode) ? 0 : cache.seconds)
        exchange.put(cache.seconds)
        exchange.put(zeros: 8)
        putAttributes(inode, status, exchange)
    }

    /// struct fuse_attr_out.
    private func putAttributeReply(_ inode: Inode, _ status: cl_statx, _ exchange: Exchange) {
        exchange.put(cache.seconds)
        exchange.put(zeros: 8)
        putAttributes(inode, status, exchange)
    }

    /// struct fuse_attr.
    private func putAttributes(_ inode: Inode, _ status: cl_statx, _ exchange: Exchange) {
        exchange.put(status.inode ^ UInt64(inode.numberMask) << 32)
        exchange.put(status.size)
        exchange.put(status.blocks)
        exchange.put(status.accessed.seconds)
        exchange.put(status.modified.seconds)
        exchange.put(status.changed.seconds)
        exchange.put(status.accessed.nanoseconds)
        exchange.put(status.modified.nanoseconds)
        exchange.put(status.changed.nanoseconds)
        exchange.put(UInt32(status.mode))
        exchange.put(status.link_count)
        exchange.put(status.uid)
        exchange.put(status.gid)
        // As the kernel's new_encode_dev has it.
        let minor = status.rdev_minor
        exchange.put(minor & 0xff | (status.rdev_major & 0xfff) << 8 | (minor & ~0xff) << 12)
        exchange.put(status.block_size)
        exchange.put(inode.isSubmount ? RequestFlag.attributeSubmount : 0)
    }
}
