// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Extended attributes, by the names that ``HostAttribute`` gives them on the host.
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
        let name = try exchange.text(at: start, limit: HostAttribute.nameLimit)
        let attribute = try HostAttribute(name)
        // The exchange's own, until its request is done.
        let value = try unsafe exchange.bytes(at: start + name.count + 1, count: size)
        let path = try inodes.path(of: inode)
        try exchange.credentials.keepSetID(extended & RequestFlag.aclKillSetGID == 0)
        let place = exchange.paths.whole(path.borrowed)
        if case .capability = attribute {
            // Copied before anything else is asked of the exchange.
            try withBytes(try FileCapability.onHost(unsafe Array(value))) { (value) throws(Errno) in
                _ = try syscall(__NR_setxattr, place, name.argument, value, 24, Int(flags))
            }
            return
        }
        // `size` bytes, as `value` has.
        let address = unsafe value.argument
        try withName(attribute, name) { (name) throws(Errno) in
            _ = try syscall(__NR_setxattr, place, name, address, size, Int(flags))
        }
    }

    func getExtendedAttribute(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let size = Int(try exchange.load(UInt32.self, at: 0))
        let name = try exchange.text(at: 8, limit: HostAttribute.nameLimit)
        if try fixes(inode, asked: name, exchange) { return }
        let attribute = try HostAttribute(name)
        let path = try inodes.path(of: inode)
        let place = exchange.paths.whole(path.borrowed)
        if case .capability = attribute {
            try answer(size, try capability(place, name, exchange), exchange)
            return
        }
        do {
            try withName(attribute, name) { (name) throws(Errno) in
                try answer(size, exchange) { (address, count) throws(Errno) in
                    try syscall(__NR_getxattr, place, name, address, count)
                }
            }
        } catch  where error == .notSupported && HostAttribute.isList(name) {
            // The guest asks for ACLs on every file system; one without has none set.
            throw Errno(rawValue: ENODATA)
        }
    }

    /// Of the file at `place`, as the guest has it.
    private func capability(_ place: Int, _ name: Name, _ exchange: Exchange) throws(Errno) -> [UInt8] {
        // More than the newest form has. The reply does not go on from here yet.
        let space = try unsafe exchange.space(40)
        let count = try unsafe syscall(__NR_getxattr, place, name.argument, space.argument, space.count)
        return FileCapability.inGuest(unsafe Array(space[..<count]))
    }

    func listExtendedAttributes(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let size = Int(try exchange.load(UInt32.self, at: 0))
        let path = try inodes.path(of: inode)
        // The kernel writes no more than the size it is given.
        let space = try unsafe exchange.space(Self.valueLimit)
        let listed = try unsafe syscall(
            __NR_listxattr, exchange.paths.whole(path.borrowed), space.argument, space.count)
        // A request tells of its caller's rights no more than the user.
        let count = unsafe Self.keepGuestNames(
            of: UnsafeMutableRawBufferPointer(rebasing: space[..<listed]), privileged: exchange.uid == 0)
        if size == 0 {
            exchange.put(UInt32(count))
            exchange.put(UInt32(0))
            return
        }
        guard count <= size else { throw .outOfRange }
        exchange.advance(by: count)
    }

    /// Makes a list of the host's names, each NUL-ended, one of the guest's, in place: none grows.
    ///
    /// - Returns: how many bytes are left.
    private static func keepGuestNames(of list: UnsafeMutableRawBufferPointer, privileged: Bool) -> Int {
        var kept = 0
        var position = 0
        while position < list.count {
            // Within the list, which is not empty here.
            let start = unsafe UnsafeRawPointer(list.baseAddress! + position)
            // The host's kernel ends each with NUL.
            guard let end = unsafe memchr(start, 0, list.count - position) else { break }
            let name = unsafe Name(start: start, count: UnsafeRawPointer(end) - start)
            position += name.count + 1
            guard let name = HostAttribute.guestName(name, privileged: privileged) else { continue }
            // What is left of a name is its end.
            unsafe memmove(list.baseAddress! + kept, end - name.count, name.count + 1)
            kept += name.count + 1
        }
        return kept
    }

    func removeExtendedAttribute(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let name = try exchange.text(at: 0, limit: HostAttribute.nameLimit)
        let attribute = try HostAttribute(name)
        let path = try inodes.path(of: inode)
        let place = exchange.paths.whole(path.borrowed)
        try withName(attribute, name) { (name) throws(Errno) in _ = try syscall(__NR_removexattr, place, name) }
    }

    /// Calls `body` with the address of what the host calls the attribute that the guest calls `name`.
    private func withName(
        _ attribute: HostAttribute, _ name: Name, _ body: (Int) throws(Errno) -> Void
    ) throws(Errno) {
        switch attribute {
        case .same, .capability: try body(name.argument)
        case .named(let bytes): try withBytes(bytes, body)
        }
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
        // `body` writes no more than the size it is given.
        let space = try unsafe exchange.space(min(size, Self.valueLimit))
        exchange.advance(by: try body(unsafe space.argument, space.count))
    }

    /// Answers with `value`, in at most `size` bytes, or, for a size of 0, with how many they are.
    private func answer(_ size: Int, _ value: [UInt8], _ exchange: Exchange) throws(Errno) {
        if size == 0 {
            exchange.put(UInt32(value.count))
            exchange.put(UInt32(0))
            return
        }
        guard value.count <= size else { throw .outOfRange }
        // Copied within the call.
        unsafe value.withUnsafeBytes { unsafe exchange.put($0) }
    }
}
