// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// OPENDIR, READDIR and READDIRPLUS.
extension FileServer {
    func openDirectory(_ exchange: Exchange) throws(Errno) {
        let inode = try inodes.inode(exchange.inode)
        let path = try place(ofDirectory: inode)
        let room = try inodes.room(for: inode)
        let descriptor = try inodes.withDescriptors { () throws(Errno) in
            FileDescriptor(
                owning: Int32(
                    try syscall(
                        __NR_openat, descriptors.borrowed.argument, exchange.paths.number(path.borrowed),
                        Int(O_RDONLY | O_DIRECTORY | O_CLOEXEC))))
        }
        let file = OpenFile(descriptor, flags: O_RDONLY, in: room)
        exchange.put(try add(file, inode, isDirectory: true))
        exchange.put((cache == .always ? [.keepCache, .cacheDirectory] : OpenReply()).rawValue)
        exchange.put(UInt32(0))
    }

    /// Fills the reply with entries from the cookie the guest names. A cookie is the host file system's own,
    /// so that a listing goes on where it stood whatever changed meanwhile.
    func readDirectory(_ exchange: Exchange, plus: Bool) throws(Errno) {
        let handle = try handles.directory(try exchange.load(UInt64.self, at: 0))
        let offset = try exchange.load(Int64.self, at: 8)
        let size = min(Int(try exchange.load(UInt32.self, at: 16)), exchange.room)
        // No more is asked of the host than will fit: an entry is longer in the reply than in the listing.
        let listing = min(max(plus ? size / 4 : size, 512), 32 << 10)
        // The buffer is the call's, which keeps no address.
        try unsafe withUnsafeTemporaryAllocation(byteCount: listing, alignment: 8) { (buffer) throws(Errno) in
            try unsafe readDirectory(exchange, handle, plus: plus, from: offset, room: size, buffer)
        }
    }

    private func readDirectory(
        _ exchange: Exchange, _ handle: Handle, plus: Bool, from offset: Int64, room: Int,
        _ buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        var cookie = offset
        var left = room
        while true {
            // The exchange's own buffer, for the call.
            let count = try unsafe list(handle, from: cookie, into: buffer)
            if count == 0 { return }
            var position = 0
            while position < count {
                // struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name. The kernel's own, and so well formed.
                let length = unsafe Int(buffer.loadUnaligned(fromByteOffset: position + 16, as: UInt16.self))
                guard length > 19, length <= count - position else { throw .inputOutput }
                // The record lies in the buffer; its name is NUL-ended.
                let start = unsafe UnsafeRawPointer(buffer.baseAddress! + position)
                let name = unsafe Name(
                    start: start + 19, count: strlen((start + 19).assumingMemoryBound(to: CChar.self)))
                let needed = (plus ? WireSize.entry : 0) + (24 + name.count + 7) & ~7
                if needed > left {
                    if left == room { throw .invalidArgument }
                    return
                }
                // The record has its 19 bytes at least, as checked.
                let number = unsafe start.loadUnaligned(as: UInt64.self)
                cookie = unsafe start.loadUnaligned(fromByteOffset: 8, as: Int64.self)
                let kind = unsafe UInt32(start.load(fromByteOffset: 18, as: UInt8.self))
                if plus { putListed(name, number: number, kind: kind, in: handle, exchange) }
                putName(name, number: number, cookie: cookie, kind: kind, exchange)
                left -= needed
                position += length
            }
            // Another round pays only where a good part of the room is left.
            if left < room / 2 { return }
        }
    }

    /// getdents64(2) from `cookie` on.
    private func list(
        _ handle: Handle, from cookie: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        // The address as a number, for the closure under the lock.
        let address = unsafe buffer.argument
        let capacity = buffer.count
        let result: Result<Int, Errno> = handle.position.withLock { position in
            if position != cookie {
                let sought = cl_syscall(Int(__NR_lseek), handle.borrowed.argument, Int(cookie), Int(SEEK_SET), 0, 0, 0)
                if sought < 0 { return .failure(Errno(rawValue: Int32(-sought))) }
                position = cookie
            }
            let count = cl_syscall(Int(__NR_getdents64), handle.borrowed.argument, address, capacity, 0, 0, 0)
            if count < 0 { return .failure(Errno(rawValue: Int32(-count))) }
            // Where the descriptor stands now is the last entry's cookie.
            var last = 0
            while last < count {
                // Within what the kernel wrote.
                guard let start = unsafe UnsafeRawPointer(bitPattern: address + last) else { break }
                // A record of the kernel's, within what it wrote.
                position = unsafe start.loadUnaligned(fromByteOffset: 8, as: Int64.self)
                last += unsafe Int(start.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
            }
            return .success(count)
        }
        return try result.get()
    }

    /// struct fuse_dirent.
    private func putName(_ name: Name, number: UInt64, cookie: Int64, kind: UInt32, _ exchange: Exchange) {
        exchange.put(number)
        exchange.put(cookie)
        exchange.put(UInt32(name.count))
        exchange.put(kind)
        // The name's own bytes, copied within the call.
        unsafe exchange.put(
            UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: name.argument), count: name.count))
        exchange.put(zeros: (8 - name.count & 7) & 7)
    }

    /// The fuse_entry_out that goes before a listed name. One that cannot be looked up (`.`, `..`, or gone
    /// meanwhile), or is not to be remembered, has no inode, which tells the guest to look it up itself when it wants to.
    private func putListed(_ name: Name, number: UInt64, kind: UInt32, in handle: Handle, _ exchange: Exchange) {
        if name.isComponent, inodes.isListed(name, in: handle.inode),
            let status = try? HostFile.status(in: handle.borrowed, name: name.argument),
            let (inode, shown) = try? found(status, in: handle.inode, at: handle.borrowed, name: name)
        {
            putEntry(inode, shown, exchange)
            return
        }
        exchange.put(zeros: 40)
        exchange.put(number)
        exchange.put(zeros: 52)
        exchange.put(kind << 12)
        exchange.put(zeros: 24)
    }
}
