// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// FUSE_INIT and FUSE_DESTROY. A session lives as long as the guest's mount, however often the transport
/// stops and starts the queues meanwhile.
extension FileServer {
    private static let major: UInt32 = 7
    private static let minor: UInt32 = 38
    /// Linux 5.4, where virtio-fs began.
    private static let oldestMinor: UInt32 = 31

    /// What is offered. Left out on purpose:
    /// POSIX_LOCKS and FLOCK_LOCKS: locks are the guest's own, its kernel keeps them;
    /// WRITEBACK_CACHE: what a container wrote is on the host when write(2) returns;
    /// EXPORT_SUPPORT: no lookup of `.` and `..`; HANDLE_KILLPRIV: the first version drops bits that the
    /// caller may keep; SECURITY_CTX, NO_OPEN_SUPPORT, DAX: not served.
    private var offered: Capability {
        var offered: Capability = [
            .asyncRead, .atomicTruncate, .bigWrites, .doNotMask, .autoInvalidateData, .readDirectoryPlus,
            .readDirectoryPlusAuto, .asyncDirectIO, .parallelDirectoryOperations, .posixACL, .maxPages,
            .submounts, .handleKillPrivilegesV2, .extendedSetXattr,
        ]
        if cache != .none { offered.insert(.cacheSymlinks) }
        return offered
    }

    func initialize(_ exchange: Exchange) throws(Errno) {
        let theirMajor = try exchange.load(UInt32.self, at: 0)
        let theirMinor = try exchange.load(UInt32.self, at: 4)
        guard theirMajor >= Self.major else { throw Errno(rawValue: EPROTO) }
        if theirMajor > Self.major {
            // The guest asks again, in our version.
            exchange.put(Self.major)
            exchange.put(Self.minor)
            exchange.put(zeros: 56)
            return
        }
        guard theirMinor >= Self.oldestMinor else { throw Errno(rawValue: EPROTO) }
        let readahead = try exchange.load(UInt32.self, at: 8)
        let theirs = Capability(rawValue: UInt64(try exchange.load(UInt32.self, at: 12)))
        endSession()
        let common = offered.intersection(theirs)
        agreed.store(common.rawValue, ordering: .relaxed)
        exchange.put(Self.major)
        exchange.put(min(Self.minor, theirMinor))
        exchange.put(readahead)
        exchange.put(UInt32(truncatingIfNeeded: common.rawValue))
        exchange.put(UInt16(128))  // max_background
        exchange.put(UInt16(96))  // congestion_threshold
        exchange.put(Self.transferLimit)
        exchange.put(UInt32(1))  // time_gran, nanoseconds
        exchange.put(UInt16(Self.transferLimit / 4096))
        exchange.put(zeros: 2 + 4 + 28)  // map_alignment, flags2, unused
    }

    func endSession() {
        for handle in handles.remove() { inodes.closed(handle) }
        inodes.clear()
    }

    func forget(_ opcode: Opcode, _ exchange: Exchange) throws(Errno) {
        if opcode == .forget {
            inodes.forget(exchange.inode, count: try exchange.load(UInt64.self, at: 0))
            return
        }
        let count = Int(try exchange.load(UInt32.self, at: 0))
        guard count <= (exchange.bodyCount - 8) / 16 else { throw .invalidArgument }
        for index in 0..<count {
            inodes.forget(
                try exchange.load(UInt64.self, at: 8 + 16 * index),
                count: try exchange.load(UInt64.self, at: 16 + 16 * index))
        }
    }
}
