// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Who a worker's thread is to the host's file systems. Used by that thread alone.
///
/// What a guest's process creates belongs to that process: the thread takes on its user and group as
/// setfsuid(2) and setfsgid(2) do, through the kernel's door so that no other thread changes, and gives
/// them back whatever happens. Whether the caller may is the guest's kernel's to say (it checks with
/// `default_permissions`, supplementary groups and ACLs, which the request does not carry), so the thread
/// keeps CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_MKNOD meanwhile. It does not keep CAP_FSETID, so a
/// set-group-ID bit that the caller must not set is dropped as it would be for the caller itself.
@safe final class Credentials {
    private enum Bit {
        static let overrideAccess: UInt64 = 1 << 1
        static let readSearch: UInt64 = 1 << 2
        static let setID: UInt64 = 1 << 4
        static let setGID: UInt64 = 1 << 6
        static let setUID: UInt64 = 1 << 7
        static let makeNode: UInt64 = 1 << 27
        static let keptForCaller = overrideAccess | readSearch | makeNode
    }

    private let ownUID: UInt32
    private let ownGID: UInt32
    /// All the thread has when it acts for itself.
    private let full: UInt64
    private let permitted: UInt64
    private let inheritable: UInt64
    private let canSwitch: Bool
    private var hasSetID: Bool
    private var mask: UInt32 = 0

    /// Takes the thread's own umask and working directory apart from the other threads', and looks up what
    /// it may do.
    init() throws(Errno) {
        try syscall(__NR_unshare, Int(CLONE_FS))
        try syscall(__NR_umask, 0)
        ownUID = UInt32(truncatingIfNeeded: try syscall(__NR_setfsuid, -1))
        ownGID = UInt32(truncatingIfNeeded: try syscall(__NR_setfsgid, -1))
        var sets = [UInt32](repeating: 0, count: 6)
        try Self.call(__NR_capget, &sets)
        full = UInt64(sets[0]) | UInt64(sets[3]) << 32
        permitted = UInt64(sets[1]) | UInt64(sets[4]) << 32
        inheritable = UInt64(sets[2]) | UInt64(sets[5]) << 32
        hasSetID = full & Bit.setID != 0
        canSwitch = full & Bit.setUID != 0 && full & Bit.setGID != 0
    }

    /// Runs `body` as the guest's user and group, with its umask. Where this process may not take on other
    /// identities (it is neither root nor given CAP_SETUID and CAP_SETGID), it acts as itself.
    func asCaller<Result: ~Copyable>(
        of exchange: Exchange, umask: UInt32 = 0, keepsAccess: Bool = true, _ body: () throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let uid = exchange.uid
        let gid = exchange.gid
        let wanted = umask & 0o777
        if mask != wanted {
            try syscall(__NR_umask, Int(wanted))
            mask = wanted
        }
        guard canSwitch, uid != ownUID || gid != ownGID else {
            try keepSetID(uid == ownUID)
            return try body()
        }
        defer { restore() }
        try takeOn(uid: uid, gid: gid, keepsAccess: keepsAccess)
        return try body()
    }

    private func takeOn(uid: UInt32, gid: UInt32, keepsAccess: Bool) throws(Errno) {
        // Neither call reports a failure; asked again, each tells who the thread is now.
        if gid != ownGID {
            try syscall(__NR_setfsgid, Int(gid))
            guard try syscall(__NR_setfsgid, Int(gid)) == Int(gid) else { throw .notPermitted }
        }
        if uid != ownUID {
            try syscall(__NR_setfsuid, Int(uid))
            guard try syscall(__NR_setfsuid, Int(uid)) == Int(uid) else { throw .notPermitted }
            hasSetID = false
            try setEffective(keepsAccess ? full & Bit.keptForCaller : 0, of: full)
        }
    }

    /// Back to the thread's own identity. These calls cannot be refused to who held it a moment ago; if they
    /// are, nothing served afterwards would be right, so the process ends.
    private func restore() {
        do {
            try syscall(__NR_setfsuid, Int(ownUID))
            try syscall(__NR_setfsgid, Int(ownGID))
            guard try syscall(__NR_setfsuid, -1) == Int(ownUID), try syscall(__NR_setfsgid, -1) == Int(ownGID) else {
                Process.exitNow(71)
            }
            if !hasSetID || ownUID != 0 {
                try setEffective(full, of: full)
                hasSetID = full & Bit.setID != 0
            }
        } catch {
            Process.exitNow(71)
        }
    }

    /// Gives the thread CAP_FSETID, or takes it away, until asked otherwise: without it the kernel drops
    /// set-user-ID and set-group-ID bits where a write, a truncation or an ACL must drop them.
    func keepSetID(_ isKept: Bool) throws(Errno) {
        guard isKept != hasSetID, full & Bit.setID != 0 else { return }
        try setEffective(isKept ? full : full & ~Bit.setID, of: full)
        hasSetID = isKept
    }

    /// The effective set: `fileSystem` of the bits that a change of user touches, and the rest of `all`.
    private func setEffective(_ fileSystem: UInt64, of all: UInt64) throws(Errno) {
        // CAP_FS_SET of <linux/capability.h>: what setfsuid(2) takes away.
        let touched: UInt64 = 0b11111 | 1 << 9 | 1 << 27 | 1 << 32
        let effective = (all & ~touched) | (fileSystem & touched)
        var sets = [
            UInt32(truncatingIfNeeded: effective), UInt32(truncatingIfNeeded: permitted),
            UInt32(truncatingIfNeeded: inheritable), UInt32(truncatingIfNeeded: effective >> 32),
            UInt32(truncatingIfNeeded: permitted >> 32), UInt32(truncatingIfNeeded: inheritable >> 32),
        ]
        try Self.call(__NR_capset, &sets)
    }

    /// capget(2) or capset(2) for this thread, version 3: effective, permitted, inheritable, twice 32 bits.
    private static func call(_ number: Int32, _ sets: inout [UInt32]) throws(Errno) {
        var header: (UInt32, Int32) = (0x2008_0522, 0)
        // capget(2) and capset(2) take a header and two sets of version 3, and keep neither.
        let result = unsafe withUnsafeMutablePointer(to: &header) { header in
            unsafe sets.withUnsafeMutableBytes { sets in
                unsafe cl_syscall(Int(number), header.argument, sets.argument, 0, 0, 0, 0)
            }
        }
        if result < 0 { throw Errno(rawValue: Int32(-result)) }
    }
}
