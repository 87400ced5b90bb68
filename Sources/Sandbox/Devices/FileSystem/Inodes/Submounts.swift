// SPDX-License-Identifier: Apache-2.0
import Linux

/// Submounts whose mount has gone: what was shown to the guest, and was taken away.
extension InodeTable {
    /// The most that is read of mountinfo: some ten thousand mounts.
    private static let mountinfoLimit = 4 << 20

    /// Mounts may have gone. A share is revoked then. The submounts in others, which stay known until their names lead
    /// elsewhere, may have no names now; what is open on them would keep their file systems on the host from ending.
    ///
    /// - Returns: the shares that were revoked.
    func forgetUnmounted() -> [Share] {
        // Those that were known before the mounts are looked at: one that comes later has come to stay.
        let (known, shares) = state.withLock { state in
            (state.submounts.values.flatMap { $0.map { (inode: $0, mount: $0.identity.mount) } }, state.shares)
        }
        if known.isEmpty, shares.isEmpty { return [] }
        guard let mounted = Self.mounts() else { return [] }
        let gone = known.filter { mounted[$0.mount] == nil }.map(\.inode)
        let revoked = shares.filter { !$0.isMounted(mounted) }
        if gone.isEmpty, revoked.isEmpty { return [] }
        state.withLock { state in
            for share in revoked { state.revoke(share) }
            for inode in gone {
                let rest = state.submounts[inode.parent]?.filter { $0 !== inode } ?? []
                state.submounts[inode.parent] = rest.isEmpty ? nil : rest
                if inode.lookups == 0 { state.remove(inode) }
            }
            countCrowd(state)
        }
        return revoked
    }

    /// Where the mounts are, by their numbers as statx(2) gives them; nil where they cannot be read.
    private static func mounts() -> [UInt64: ArraySlice<UInt8>]? {
        guard let bytes = try? FileDescriptor.open("/proc/thread-self/mountinfo").readAll(limit: mountinfoLimit) else {
            return nil
        }
        var mounts: [UInt64: ArraySlice<UInt8>] = [:]
        for line in bytes.split(separator: 10) {
            // The first field and the fifth, proc(5).
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count > 4, let id = UInt64(String(decoding: fields[0], as: UTF8.self)) else { return nil }
            mounts[id] = fields[4]
        }
        return mounts
    }
}
