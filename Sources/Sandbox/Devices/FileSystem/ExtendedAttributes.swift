import CLinux
import Glibc
import Linux

/// Extended attributes, as the host's file system has them: user.*, security.*, trusted.* (where this process
/// may) and POSIX ACLs.
extension FileServer {
    /// XATTR_SIZE_MAX, and XATTR_LIST_MAX.
    private static let valueLimit = 65536

    func setExtendedAttribute(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let size = Int(try exchange.load(UInt32.self, at: 0))
        let flags = try exchange.load(UInt32.self, at: 4)
        // Without SETXATTR_EXT the structure is the first eight bytes alone.
        let isExtended = isAgreed(.extendedSetXattr)
        let start = isExtended ? 16 : 8
        let extended = isExtended ? try exchange.load(UInt32.self, at: 8) : 0
        guard size <= Self.valueLimit else { throw Errno(rawValue: E2BIG) }
        let name = try exchange.text(at: start, limit: 255)
        let value = try unsafe exchange.bytes(at: start + name.count + 1, count: size)
        let path = try inodes.path(of: inode)
        try exchange.credentials.keepSetID(extended & RequestFlag.aclKillSetGID == 0)
        try syscall(
            __NR_setxattr, exchange.paths.whole(path.number), name.argument, unsafe value.argument, size, Int(flags))
    }

    func getExtendedAttribute(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let size = Int(try exchange.load(UInt32.self, at: 0))
        let name = try exchange.text(at: 8, limit: 255)
        let path = try inodes.path(of: inode)
        do {
            try answer(size, exchange) { (address, count) throws(Errno) in
                try syscall(
                    __NR_getxattr, exchange.paths.whole(path.number), name.argument, address, count)
            }
        } catch  where error == .notSupported && name.hasPrefix("system.posix_acl_") {
            // The guest asks for ACLs on every file system; one without has none set.
            throw Errno(rawValue: ENODATA)
        }
    }

    func listExtendedAttributes(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let size = Int(try exchange.load(UInt32.self, at: 0))
        let path = try inodes.path(of: inode)
        try answer(size, exchange) { (address, count) throws(Errno) in
            try syscall(__NR_listxattr, exchange.paths.whole(path.number), address, count)
        }
    }

    func removeExtendedAttribute(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let name = try exchange.text(at: 0, limit: 255)
        let path = try inodes.path(of: inode)
        try syscall(__NR_removexattr, exchange.paths.whole(path.number), name.argument)
    }

    /// Answers with what `body` writes to at most `size` bytes, or, for a size of 0, with how many it would.
    private func answer(
        _ size: Int, _ exchange: Exchange, _ body: (_ address: Int, _ count: Int) throws(Errno) -> Int
    ) throws(Errno) {
        if size == 0 {
            exchange.put(UInt32(try body(0, 0)))
            exchange.put(UInt32(0))
            return
        }
        let space = try unsafe exchange.space(min(size, Self.valueLimit))
        exchange.advance(by: try body(unsafe space.argument, space.count))
    }
}
