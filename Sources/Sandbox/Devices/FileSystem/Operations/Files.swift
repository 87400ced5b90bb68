// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Opening, creating and closing files.
extension FileServer {
    /// The flags of an open that reach the host. O_APPEND is applied write by write; O_DIRECT is the
    /// guest's way past its own cache and does not go further, for the host's alignment is not the guest's;
    /// the rest has been dealt with, or could lead somewhere else.
    private static let passedFlags = Int32(O_ACCMODE | O_TRUNC | O_SYNC)

    func open(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let flags = Int32(bitPattern: try exchange.load(UInt32.self, at: 0))
        let openFlags = try exchange.load(UInt32.self, at: 4)
        let (number, reply) = try open(inode, flags: flags, openFlags: openFlags, exchange)
        putOpened(number, reply, exchange)
    }

    /// Opens a regular file the guest knows, through its place: nothing else can have come in between.
    private func open(
        _ inode: Inode, flags: Int32, openFlags: UInt32, _ exchange: Exchange
    ) throws(Errno) -> (UInt64, OpenReply) {
        switch inode.kind {
        case 0o100000: break
        case 0o040000: throw .isDirectory
        case 0o120000: throw .tooManyLinks
        // The guest's kernel has devices, fifos and sockets of its own; the host's are never opened.
        default: throw Errno(rawValue: ENXIO)
        }
        let writes = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0
        if isReadOnly && writes { throw .readOnlyFileSystem }
        try exchange.credentials.keepSetID(openFlags & RequestFlag.openKillSetID == 0)
        let file = try openFile(inode, flags & Self.passedFlags, exchange)
        let status = try HostFile.status(of: file.borrowed)
        let number = try add(file, inode, isDirectory: false)
        return (number, reply(inode, status, writes: flags & O_ACCMODE != O_RDONLY))
    }

    private func openFile(_ inode: Inode, _ flags: Int32, _ exchange: Exchange) throws(Errno) -> OpenFile {
        if flags & O_TRUNC == 0, let shared = inodes.openFile(of: inode, flags: flags) { return shared }
        let path = try inodes.path(of: inode)
        let room = try inodes.room(for: inode)
        let descriptor = try inodes.withDescriptors { () throws(Errno) in
            FileDescriptor(
                owning: Int32(
                    try syscall(
                        __NR_openat, descriptors.borrowed.argument, exchange.paths.number(path.borrowed),
                        Int(flags | O_CLOEXEC))))
        }
        return OpenFile(descriptor, flags: flags & ~O_TRUNC, in: room)
    }

    /// What the guest may keep of a file that it opens.
    private func reply(_ inode: Inode, _ status: cl_statx, writes: Bool) -> OpenReply {
        // Nothing was written, so closing has nothing to report.
        var reply: OpenReply = writes ? [] : .noFlush
        switch cache {
        case .none: reply.insert(.directIO)
        case .always: reply.insert(.keepCache)
        case .auto: if inodes.isUnchanged(inode, CacheStamp(status, now: now())) { reply.insert(.keepCache) }
        }
        return reply
    }

    /// Seconds since 1970, as coarse as file times are.
    private func now() -> Int64 {
        var now = timespec()
        // CLOCK_REALTIME_COARSE
        return unsafe clock_gettime(5, &now) == 0 ? Int64(now.tv_sec) : 0
    }

    func add(_ file: OpenFile, _ inode: Inode, isDirectory: Bool) throws(Errno) -> UInt64 {
        let handle = Handle(file, on: inode, isDirectory: isDirectory)
        let number = try handles.add(handle)
        guard inodes.opened(handle) else {
            _ = try? handles.remove(number, isDirectory: isDirectory)
            throw Errno(rawValue: ESTALE)
        }
        return number
    }

    /// struct fuse_open_out.
    private func putOpened(_ number: UInt64, _ reply: OpenReply, _ exchange: Exchange) {
        exchange.put(number)
        exchange.put(reply.rawValue)
        exchange.put(UInt32(0))
    }

    func create(_ exchange: Exchange) throws(Errno) {
        let flags = Int32(bitPattern: try exchange.load(UInt32.self, at: 0))
        let mode = try exchange.load(UInt32.self, at: 4) & 0o7777
        let umask = try exchange.load(UInt32.self, at: 8)
        let openFlags = try exchange.load(UInt32.self, at: 12)
        let name = try exchange.name(at: 16)
        let parent = try inodes.inode(exchange.inode)
        let directory = try place(ofDirectory: parent)
        let room = try inodes.room(for: parent)
        // Always exclusive: an open that creates must not find a device or a fifo in the name's place.
        let created: Int32
        do {
            created = try exchange.credentials.asCaller(of: exchange, umask: umask) { () throws(Errno) in
                try inodes.withDescriptors { () throws(Errno) in
                    Int32(
                        try syscall(
                            __NR_openat, directory.borrowed.argument, name.argument,
                            Int(flags & Self.passedFlags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC), Int(mode)))
                }
            }
        } catch  where error == .exists && flags & O_EXCL == 0 {
            let status = try HostFile.status(in: directory.borrowed, name: name.argument)
            let (inode, _) = try found(status, in: parent, at: directory.borrowed, name: name)
            do {
                let (number, reply) = try open(inode, flags: flags, openFlags: openFlags, exchange)
                // Opening may have cut the file off.
                putEntry(inode, try inodes.status(of: inode), exchange)
                putOpened(number, reply, exchange)
            } catch {
                inodes.forget(inode.id, count: 1)
                throw error
            }
            return
        }
        try putCreated(
            FileDescriptor(owning: created), room, in: parent, at: directory, name: name, path: nil, flags: flags,
            exchange)
    }

    /// A file without a name, FUSE 7.37. LINK may give it one.
    func temporaryFile(_ exchange: Exchange) throws(Errno) {
        let flags = Int32(bitPattern: try exchange.load(UInt32.self, at: 0))
        let mode = try exchange.load(UInt32.self, at: 4) & 0o7777
        let umask = try exchange.load(UInt32.self, at: 8)
        let parent = try inodes.inode(exchange.inode)
        let directory = try place(ofDirectory: parent)
        guard flags & O_ACCMODE != O_RDONLY else { throw .invalidArgument }
        let room = try inodes.room(for: parent)
        let file = FileDescriptor(
            owning: try exchange.credentials.asCaller(of: exchange, umask: umask) { () throws(Errno) in
                try inodes.withDescriptors { () throws(Errno) in
                    Int32(
                        try syscall(
                            __NR_openat, descriptors.borrowed.argument, exchange.paths.number(directory.borrowed),
                            Int(flags & Self.passedFlags & ~O_TRUNC | O_CLOEXEC) | CL_O_TMPFILE, Int(mode)))
                }
            })
        let path = PathDescriptor(
            FileDescriptor(
                owning: Int32(
                    try syscall(
                        __NR_openat, descriptors.borrowed.argument, exchange.paths.number(file.borrowed),
                        CL_O_PATH | Int(O_CLOEXEC)))))
        try putCreated(file, room, in: parent, at: directory, name: nil, path: path, flags: flags, exchange)
    }

    private func putCreated(
        _ file: consuming FileDescriptor, _ room: consuming DescriptorBudget.Place, in parent: Inode,
        at directory: PathDescriptor, name: Name?, path: PathDescriptor?, flags: Int32, _ exchange: Exchange
    ) throws(Errno) {
        let status = try HostFile.status(of: file.borrowed)
        let opened = OpenFile(file, flags: flags & Self.passedFlags & ~O_TRUNC, in: room)
        let (inode, _) = try found(status, in: parent, at: directory.borrowed, name: name, path: path)
        do {
            let number = try add(opened, inode, isDirectory: false)
            putEntry(inode, status, exchange)
            putOpened(number, reply(inode, status, writes: true), exchange)
        } catch {
            inodes.forget(inode.id, count: 1)
            throw error
        }
    }

    func release(_ exchange: Exchange, isDirectory: Bool) throws(Errno) {
        inodes.closed(try handles.remove(try exchange.load(UInt64.self, at: 0), isDirectory: isDirectory))
    }

    /// One of the guest's descriptors was closed: so is one here, for a network file system of the host
    /// reports then what it could not write.
    func flush(_ exchange: Exchange) throws(Errno) {
        let handle = try handles.file(try exchange.load(UInt64.self, at: 0))
        let copy = try handle.file.descriptor.duplicate()
        try syscall(__NR_close, copy.release().argument)
    }

    func sync(_ exchange: Exchange, isDirectory: Bool) throws(Errno) {
        let number = try exchange.load(UInt64.self, at: 0)
        let handle = isDirectory ? try handles.directory(number) : try handles.file(number)
        let dataOnly = try exchange.load(UInt32.self, at: 8) & RequestFlag.dataOnly != 0
        try syscall(dataOnly ? __NR_fdatasync : __NR_fsync, handle.borrowed.argument)
    }
}
