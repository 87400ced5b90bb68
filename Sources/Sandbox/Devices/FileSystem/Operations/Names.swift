// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Making, removing, renaming and linking entries.
extension FileServer {
    /// Makes an entry with `body`, which is given the directory, as the guest's caller, and answers with it.
    private func make(
        _ exchange: Exchange, name: Name, umask: UInt32, _ body: (Int) throws(Errno) -> Void
    ) throws(Errno) {
        let parent = try inodes.inode(exchange.inode)
        let directory = try place(ofDirectory: parent)
        try exchange.credentials.asCaller(of: exchange, umask: umask) { () throws(Errno) in
            try body(directory.borrowed.argument)
        }
        try putMade(name, in: parent, directory, exchange)
    }

    /// Answers with the entry that was just made.
    private func putMade(
        _ name: Name, in parent: Inode, _ directory: PathDescriptor, _ exchange: Exchange
    ) throws(Errno) {
        let status = try HostFile.status(in: directory.borrowed, name: name.argument)
        let (inode, shown) = try found(status, in: parent, at: directory.borrowed, name: name)
        putEntry(inode, shown, exchange)
    }

    func makeNode(_ exchange: Exchange) throws(Errno) {
        let mode = try exchange.load(UInt32.self, at: 0)
        let device = try exchange.load(UInt32.self, at: 4)
        let umask = try exchange.load(UInt32.self, at: 8)
        let name = try exchange.name(at: 16)
        try make(exchange, name: name, umask: umask) { (directory) throws(Errno) in
            try syscall(__NR_mknodat, directory, name.argument, Int(mode), Int(device))
        }
    }

    func makeDirectory(_ exchange: Exchange) throws(Errno) {
        let mode = try exchange.load(UInt32.self, at: 0)
        let umask = try exchange.load(UInt32.self, at: 4)
        let name = try exchange.name(at: 8)
        try make(exchange, name: name, umask: umask) { (directory) throws(Errno) in
            try syscall(__NR_mkdirat, directory, name.argument, Int(mode))
        }
    }

    func symlink(_ exchange: Exchange) throws(Errno) {
        let name = try exchange.name(at: 0)
        let target = try exchange.text(at: name.count + 1, limit: 4095)
        try make(exchange, name: name, umask: 0) { (directory) throws(Errno) in
            try syscall(__NR_symlinkat, target.argument, directory, name.argument)
        }
    }

    func link(_ exchange: Exchange) throws(Errno) {
        let source = try inodes.inode(try exchange.load(UInt64.self, at: 0))
        let name = try exchange.name(at: 8)
        let parent = try inodes.inode(exchange.inode)
        let directory = try place(ofDirectory: parent)
        guard !source.isDirectory else { throw .notPermitted }
        let path = try inodes.path(of: source)
        try syscall(
            __NR_linkat, descriptors.borrowed.argument, exchange.paths.number(path.borrowed),
            directory.borrowed.argument,
            name.argument, CL_AT_SYMLINK_FOLLOW)
        try putMade(name, in: parent, directory, exchange)
    }

    func remove(_ exchange: Exchange, flags: Int) throws(Errno) {
        let name = try exchange.name(at: 0)
        let parent = try inodes.inode(exchange.inode)
        let directory = try place(ofDirectory: parent)
        let inode = inodes.prepareToLose(name, in: parent, at: directory.borrowed)
        var isGone = false
        defer { inodes.lost(name, in: parent, inode, isGone: isGone) }
        try syscall(__NR_unlinkat, directory.borrowed.argument, name.argument, flags)
        isGone = true
        inodes.vanished(name, in: parent)
    }

    func rename(_ exchange: Exchange, hasFlags: Bool) throws(Errno) {
        let target = try inodes.inode(try exchange.load(UInt64.self, at: 0))
        let flags = hasFlags ? try exchange.load(UInt32.self, at: 8) : 0
        let oldName = try exchange.name(at: hasFlags ? 16 : 8)
        let newName = try exchange.name(at: (hasFlags ? 16 : 8) + oldName.count + 1)
        guard flags & ~UInt32(CL_RENAME_NOREPLACE | CL_RENAME_EXCHANGE | CL_RENAME_WHITEOUT) == 0 else {
            throw .invalidArgument
        }
        let source = try inodes.inode(exchange.inode)
        let from = try place(ofDirectory: source)
        let to = try place(ofDirectory: target)
        let isExchange = flags & UInt32(CL_RENAME_EXCHANGE) != 0
        let mover = inodes.known(oldName, in: source, at: from.borrowed)
        let replaced =
            isExchange
            ? inodes.known(newName, in: target, at: to.borrowed)
            : inodes.prepareToLose(newName, in: target, at: to.borrowed)
        var isGone = false
        defer { if !isExchange { inodes.lost(newName, in: target, replaced, isGone: isGone) } }
        // A whiteout is made as the caller's; for anything else the guest has checked what the caller may.
        try syscall(
            __NR_renameat2, from.borrowed.argument, oldName.argument, to.borrowed.argument, newName.argument, Int(flags)
        )
        // Two names of one file: the kernel left both.
        if let mover, let replaced, mover === replaced { return }
        isGone = true
        if let mover { inodes.moved(mover, to: target, newName) }
        if isExchange, let replaced { inodes.moved(replaced, to: source, oldName) }
    }
}
