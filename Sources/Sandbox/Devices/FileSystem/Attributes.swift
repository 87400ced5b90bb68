import CLinux
import Glibc
import Linux

/// LOOKUP, GETATTR, SETATTR, ACCESS, READLINK and the structures that carry attributes.
extension FileServer {
    func lookup(_ exchange: Exchange) throws(Errno) {
        let parent = try inodes.inode(exchange.inode)
        let name = try exchange.name(at: 0)
        let directory = try place(ofDirectory: parent)
        let status: cl_statx
        do {
            status = try HostFile.status(in: directory.number, name: name.argument)
        } catch {
            if error == .noSuchFile { inodes.vanished(name, in: parent) }
            throw error
        }
        let inode = try found(status, in: parent, name: name)
        putEntry(inode, status, exchange)
    }

    /// The place of `inode`, which must be a directory.
    func place(ofDirectory inode: Inode) throws(Errno) -> PathDescriptor {
        guard inode.isDirectory else { throw .notDirectory }
        return try inodes.path(of: inode)
    }

    func found(_ status: cl_statx, in parent: Inode, name: Name?, path: PathDescriptor? = nil) throws(Errno) -> Inode {
        try inodes.found(status, in: parent, name: name, announcesSubmounts: isAgreed(.submounts), path: path)
    }

    func getAttributes(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let status: cl_statx
        if try exchange.load(UInt32.self, at: 0) & RequestFlag.getAttributesHandle != 0 {
            status = try HostFile.status(of: handles.file(try exchange.load(UInt64.self, at: 8)).number)
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
                __NR_fchownat, Int(path.number), HostFile.noName, Int(uid), Int(gid),
                CL_AT_EMPTY_PATH | CL_AT_SYMLINK_NOFOLLOW)
        }
        if fields.contains(.mode) {
            guard inode.kind != 0o120000 else { throw .notSupported }
            try exchange.credentials.keepSetID(true)
            let mode = try exchange.load(UInt32.self, at: 68) & 0o7777
            try syscall(__NR_fchmodat, number(descriptors), exchange.paths.number(path.number), Int(mode))
        }
        if fields.contains(.size) { try truncate(inode, path, fields, exchange) }
        if !fields.isDisjoint(with: [.accessTime, .modificationTime]) {
            var times = (
                try time(fields, .accessTime, .accessTimeNow, seconds: 32, nanoseconds: 56, exchange),
                try time(fields, .modificationTime, .modificationTimeNow, seconds: 40, nanoseconds: 60, exchange)
            )
            try unsafe withUnsafeMutablePointer(to: &times) { (times) throws(Errno) in
                _ = unsafe try syscall(
                    __NR_utimensat, number(descriptors), exchange.paths.number(path.number), times.argument, 0)
            }
        }
        putAttributeReply(inode, try HostFile.status(of: path.number), exchange)
    }

    private func number(_ descriptor: borrowing FileDescriptor) -> Int { Int(descriptor.rawValue) }

    private func truncate(
        _ inode: Inode, _ path: PathDescriptor, _ fields: SetAttributes, _ exchange: Exchange
    ) throws(Errno) {
        guard inode.isRegular else { throw inode.isDirectory ? .isDirectory : .invalidArgument }
        let size = try exchange.load(UInt64.self, at: 16)
        guard size <= UInt64(Int64.max) else { throw .invalidArgument }
        try exchange.credentials.keepSetID(!fields.contains(.killSetID))
        if fields.contains(.handle) {
            let handle = try handles.file(try exchange.load(UInt64.self, at: 8))
            try syscall(__NR_ftruncate, Int(handle.number), Int(size))
        } else {
            try syscall(__NR_truncate, exchange.paths.whole(path.number), Int(size))
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
                __NR_faccessat2, number(descriptors), exchange.paths.number(path.number), Int(mask),
                Int(CL_AT_EACCESS))
        }
    }

    func readLink(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        guard inode.kind == 0o120000 else { throw .invalidArgument }
        let path = try inodes.path(of: inode)
        let target = try unsafe exchange.space(4096)
        let count = try unsafe syscall(
            __NR_readlinkat, Int(path.number), HostFile.noName, target.argument, target.count)
        exchange.advance(by: count)
    }

    // MARK: Structures

    /// struct fuse_entry_out.
    func putEntry(_ inode: Inode, _ status: cl_statx, _ exchange: Exchange) {
        exchange.put(inode.id)
        exchange.put(UInt64(0))  // generation: the id holds it
        exchange.put(cache.seconds)
        exchange.put(cache.seconds)
        exchange.put(zeros: 8)
        putAttributes(status, flags: submountFlag(inode), exchange)
    }

    /// struct fuse_attr_out.
    private func putAttributeReply(_ inode: Inode, _ status: cl_statx, _ exchange: Exchange) {
        exchange.put(cache.seconds)
        exchange.put(zeros: 8)
        putAttributes(status, flags: submountFlag(inode), exchange)
    }

    private func submountFlag(_ inode: Inode) -> UInt32 {
        inode.isSubmount ? RequestFlag.attributeSubmount : 0
    }

    /// struct fuse_attr.
    func putAttributes(_ status: cl_statx, flags: UInt32, _ exchange: Exchange) {
        exchange.put(status.inode)
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
        exchange.put(flags)
    }
}
